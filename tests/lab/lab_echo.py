"""Answers every TCP connection and every UDP packet with a word, ``other`` for some clients. Arguments: PORT=WORD, ADDRESS…"""

from __future__ import annotations

import selectors
import socket
import sys


def main():
    selector = selectors.DefaultSelector()
    port, _, word = sys.argv[1].partition("=")
    others = set(sys.argv[2:])
    for family in (socket.AF_INET, socket.AF_INET6):
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            listener = socket.socket(family, kind)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.bind(("", int(port)))
            if kind == socket.SOCK_STREAM:
                listener.listen(256)
            selector.register(listener, selectors.EVENT_READ)
    print("ready", flush=True)
    while True:
        for key, _ in selector.select():
            listener = key.fileobj
            if listener.type == socket.SOCK_DGRAM:
                _, client = listener.recvfrom(64)
                listener.sendto(answer(client, word, others), client)
            else:
                connection, client = listener.accept()
                with connection:
                    connection.sendall(answer(client, word, others))


def answer(client, word, others):
    return ("other" if client[0] in others else word).encode()


main()
