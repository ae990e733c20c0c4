"""Makes many connections at once, as processes of several users and control groups.

Standard input: ``{"senders": [[uid, cgroup folder or "", [[source or "", address, port, "tcp" or "udp"], …]], …],
"wait": seconds}``. Prints a list of words for each sender: what the server answered, the name of the error, or
``timeout``.
"""

from __future__ import annotations

import errno
import json
import os
import selectors
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path


def dial(doors, wait):
    """One word for each door; all are tried at once."""
    words = ["timeout"] * len(doors)
    selector = selectors.DefaultSelector()
    for number, (source, address, port, transport) in enumerate(doors):
        kind = socket.SOCK_STREAM if transport == "tcp" else socket.SOCK_DGRAM
        door = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)
        door.setblocking(False)
        if source:
            door.bind((source, 0))
        begun = door.connect_ex((address, port))
        assert begun in {0, errno.EINPROGRESS}, (address, port, os.strerror(begun))
        if transport == "udp":
            # What is rejected on the way out is not permitted here; why comes with the ICMP error.
            with suppress(PermissionError):
                door.send(b"?")
        # Readable: an answer, or the refusal; a stream that is being connected becomes readable with either.
        selector.register(door, selectors.EVENT_READ, number)
    end = time.monotonic() + wait
    while selector.get_map() and (left := end - time.monotonic()) > 0:
        for key, _ in selector.select(left):
            try:
                words[key.data] = key.fileobj.recv(64).decode()
            except OSError as error:
                words[key.data] = errno.errorcode[error.errno]
            selector.unregister(key.fileobj)
            key.fileobj.close()
    return words


def as_sender(uid, folder, doors, wait):
    """The words that a child process of this user and control group gets, as a file to read from."""
    reading, writing = os.pipe()
    if os.fork() == 0:
        if folder:
            (Path(folder) / "cgroup.procs").write_text(str(os.getpid()))
        os.setgroups([])
        os.setuid(uid)
        with os.fdopen(writing, "w") as out:
            out.write(json.dumps(dial(doors, wait)))
        os._exit(0)
    os.close(writing)
    return os.fdopen(reading)


def main():
    task = json.load(sys.stdin)
    answers = [as_sender(*sender, task["wait"]) for sender in task["senders"]]
    print(json.dumps([json.load(answer) for answer in answers]))


main()
