"""Gets URLs with a Python library, with one `no_proxy` after another; prints who answered each.

Arguments: requests|urllib|httpx; standard input: ``{"values": […], "urls": […]}``.
"""

from __future__ import annotations

import json
import os
import sys


def with_requests():
    import requests

    return lambda url: requests.get(url, timeout=5).text


def with_urllib():
    from urllib.request import build_opener

    opener = build_opener()
    return lambda url: opener.open(url, timeout=5).read().decode()


def with_httpx():
    import httpx

    client = httpx.Client(timeout=5)
    return lambda url: client.get(url).text


begin = {"requests": with_requests, "urllib": with_urllib, "httpx": with_httpx}[sys.argv[1]]
task = json.load(sys.stdin)
for value in task["values"]:
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = value
    try:
        get = begin()
    except Exception as error:  # noqa: BLE001 - whatever a library raises is its answer
        print("\n".join([type(error).__name__] * len(task["urls"])))
        continue
    for address in task["urls"]:
        try:
            print(get(address))
        except Exception as error:  # noqa: BLE001
            print(type(error).__name__)
