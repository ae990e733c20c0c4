"""Answers whatever is sent first with a word, as HTTP, also through a CONNECT. Arguments: PORT=WORD; all addresses."""

from __future__ import annotations

import socket
import sys
import threading


def serve(port, word):
    listener = socket.create_server(("::", port), family=socket.AF_INET6, backlog=64, dualstack_ipv6=True)
    answer = f"HTTP/1.1 200 OK\r\nContent-Length: {len(word)}\r\nConnection: close\r\n\r\n{word}".encode()

    def talk(connection):
        with connection:
            connection.settimeout(10)
            try:
                first = connection.recv(65536)
                if first.startswith(b"CONNECT "):
                    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                    first = connection.recv(65536)
                if first:
                    connection.sendall(answer)
            except OSError:
                pass

    def accept():
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=talk, args=(connection,), daemon=True).start()

    threading.Thread(target=accept).start()


for argument in sys.argv[1:]:
    number, _, said = argument.partition("=")
    serve(int(number), said)
print("ready", flush=True)
