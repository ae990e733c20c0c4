"""TLS in the lab: servers with a certificate that says ORIGIN, and a client that tells whose certificate it was shown."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
import threading


def serve(certificate, *ports):
    """Answer TLS on these ports, on all addresses, for as long as the process lives."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def answer(connection):
        try:
            with context.wrap_socket(connection, server_side=True) as secured:
                secured.recv(1024)
                secured.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")
        except OSError:
            connection.close()

    def accept(listener):
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    for port in ports:
        listener = socket.create_server(("", int(port)), backlog=32)
        threading.Thread(target=accept, args=(listener,)).start()
    print("ready", flush=True)


def issuer(host, port):
    """Who issued the certificate that the client is shown for a host, or ``refused``."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        address = socket.getaddrinfo(host, int(port), socket.AF_INET, socket.SOCK_STREAM)[0][4]
        with (
            socket.create_connection(address, timeout=5) as plain,
            context.wrap_socket(plain, server_hostname=host) as secured,
        ):
            certificate = ssl.DER_cert_to_PEM_cert(secured.getpeercert(binary_form=True))
    except OSError as error:
        return f"refused ({error})"
    command = ["openssl", "x509", "-noout", "-issuer", "-nameopt", "multiline"]
    shown = subprocess.run(command, input=certificate, capture_output=True, text=True, check=True).stdout
    return next(line.split("=")[1].strip() for line in shown.splitlines() if "commonName" in line)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(*sys.argv[2:])
    else:
        print("\n".join(issuer(*target.rsplit(":", 1)) for target in sys.argv[2:]))
