"""PAC files in the engines that run them: Node's pac-resolver, Chromium, and a parser of ECMAScript 3.

The modules of Node stand in the folder that ``EGRESSC_NODE_MODULES`` names (``.ci/run`` installs them).
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import threading
from pathlib import Path

import lab_browser
import pytest
from pac_questions import DIRECT, ODD_DIRECT, ODD_PROXIED, POLICY, PROXIED, host_of
from support import prepared_of

from egressc.api_export import ListRequest, build_list
from egressc.exports import ListKind
from egressc.targets.list_protocol import ListOptions, Proxy
from egressc.targets.list_registry import load_format

HERE = Path(__file__).resolve().parent
MODULES = os.environ.get("EGRESSC_NODE_MODULES", "")


def pac(policy=POLICY, port=8080):
    options = ListOptions(kind=ListKind.BYPASS, form="pac", proxy=Proxy("127.0.0.1", port))
    prepared = prepared_of(policy, "groups: {g: {networks: [10.20.0.0/24]}}\n")
    build, report = build_list(prepared, ListRequest(format=load_format("pac"), options=options))
    assert build is not None, report
    return build.text


def by_node(folder, text, pairs):
    if shutil.which("node") is None or not Path(MODULES, "pac-resolver").is_dir():
        pytest.skip("Node or its modules are not there: see EGRESSC_NODE_MODULES")
    file = folder / "proxy.pac"
    file.write_text(text, encoding="ascii")
    words = ["node", HERE / "lab_pac.js", MODULES, file]
    ran = subprocess.run(words, input=json.dumps(pairs), capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def test_pac_resolver_answers_as_the_policy_says(tmp_path):
    expected = {(url, host_of(url)): "DIRECT" for url in DIRECT} | dict.fromkeys(ODD_DIRECT, "DIRECT")
    proxied = "PROXY 127.0.0.1:8080"
    expected |= {(url, host_of(url)): proxied for url in PROXIED} | dict.fromkeys(ODD_PROXIED, proxied)
    # pac-resolver wants a URL; what is none never comes to it.
    pairs = [pair for pair in expected if "://" in pair[0]]
    found = by_node(tmp_path, pac(), pairs)
    assert dict(zip(pairs, found["answers"], strict=True)) == {pair: expected[pair] for pair in pairs}


def test_the_script_is_ecmascript_3(tmp_path):
    """JScript, which Windows runs it by, cannot run here."""
    assert by_node(tmp_path, pac(), [])["es3"] == []
    later = pac().replace("var asked = egresscAsked", "let asked = egresscAsked", 1)
    assert by_node(tmp_path, later, [])["es3"] != []


class Server:
    """Whoever connects is written down, with the first line that it sends, and gets an empty answer."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.seen = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            with client:
                client.settimeout(5)
                try:
                    self.seen.append(client.recv(4096).split(b"\r\n")[0])
                    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
                except OSError:
                    pass


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """A function that says where Chromium goes for a URL: `DIRECT`, or to the proxy."""
    reason = lab_browser.missing()
    if reason is not None:
        pytest.skip(reason)
    proxy, direct = Server(), Server()
    folder = tmp_path_factory.mktemp("pac")
    file = folder / "proxy.pac"
    file.write_text(pac(port=proxy.port), encoding="ascii")
    flags = (
        f"--proxy-pac-url=data:application/x-ns-proxy-autoconfig;base64,{lab_browser.base64.b64encode(file.read_bytes()).decode()}",
        f"--host-resolver-rules=MAP * 127.0.0.1:{direct.port}, EXCLUDE 127.0.0.1",
        "--disable-features=HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,LocalNetworkAccessChecks",
    )
    with lab_browser.Browser(folder / "browser", flags) as browser:

        def ask(url):
            del proxy.seen[:], direct.seen[:]
            browser.open(url)
            # Chromium also asks the proxy for things of its own, and everybody for an icon.
            host = host_of(url).encode()
            to_proxy = [each for each in proxy.seen if host in each and b"favicon" not in each]
            directly = [each for each in direct.seen if b"favicon" not in each]
            return {"PROXY": to_proxy, "DIRECT": directly}

        yield ask
    for each in (proxy, direct):
        each.socket.close()


# A browser asks with the path of plain HTTP only, and never for what is no URL.
ASKED = [(url, "DIRECT") for url in DIRECT if url.startswith("http")]
ASKED += [(url, "PROXY") for url in PROXIED if url.startswith("http")]


@pytest.mark.parametrize(("url", "where"), ASKED)
def test_chromium_goes_where_the_policy_says(asked, url, where):
    assert [way for way, seen in asked(url).items() if seen] == [where]
