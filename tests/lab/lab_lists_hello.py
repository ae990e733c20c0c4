"""Begins TLS or HTTP at an address and port with a name; prints who answered. Arguments: tls|http/NAME/ADDRESS/PORT."""

from __future__ import annotations

import socket
import ssl
import sys
from contextlib import suppress


def hello(name):
    """The first bytes of a TLS connection for a name (none: without SNI)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    out = ssl.MemoryBIO()
    secured = context.wrap_bio(ssl.MemoryBIO(), out, server_hostname=name or None)
    with suppress(ssl.SSLWantReadError):
        secured.do_handshake()
    return out.read()


for argument in sys.argv[1:]:
    how, host, address, port = argument.split("/")
    first = hello(host) if how == "tls" else f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
    with socket.create_connection((address, int(port)), timeout=20) as door:
        door.sendall(first)
        answer = b""
        while more := door.recv(4096):
            answer += more
    print(answer.rpartition(b"\r\n")[2].decode())
