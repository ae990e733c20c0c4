"""Resolves and connects as any program would, through the resolver of the machine. Prints one word for each target."""

from __future__ import annotations

import json
import socket
import sys
from concurrent.futures import ThreadPoolExecutor

FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}


def probe(target):
    host, port, family, wait = target
    try:
        found = socket.getaddrinfo(host, port, FAMILIES[family], socket.SOCK_STREAM)
    except socket.gaierror:
        return "unresolved"
    try:
        with socket.create_connection(found[0][4][:2], timeout=wait) as connection:
            return f"ok:{connection.recv(64).decode()}"
    except TimeoutError:
        return "timeout"
    except OSError:
        return "refused"


with ThreadPoolExecutor(16) as pool:
    print(json.dumps(list(pool.map(probe, json.loads(sys.argv[1])))))
