"""Answers every TCP connection with the address it was made to. Arguments: ports, or PORT=WORD for another answer."""

from __future__ import annotations

import selectors
import socket
import sys


def main():
    selector = selectors.DefaultSelector()
    for argument in sys.argv[1:]:
        port, _, word = argument.partition("=")
        for family in (socket.AF_INET, socket.AF_INET6):
            listener = socket.socket(family, socket.SOCK_STREAM)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.bind(("", int(port)))
            listener.listen(64)
            selector.register(listener, selectors.EVENT_READ, word)
    print("ready", flush=True)
    while True:
        for key, _ in selector.select():
            connection, _ = key.fileobj.accept()
            with connection:
                connection.sendall((key.data or connection.getsockname()[0]).encode())


main()
