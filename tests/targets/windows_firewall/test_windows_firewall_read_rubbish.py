"""Files that somebody broke: they are read, or refused; nothing else may happen."""

import random

import pytest
from registry_export import export_of
from support import site_of
from windows_scenario import ACCOUNTS, FIREWALL, INVENTORY, POLICY

from egressc.meaning import UnreadableError
from egressc.targets.protocol import Artefact
from egressc.targets.windows_firewall import TARGET

SITE = site_of(POLICY, INVENTORY, FIREWALL)
MODEL = TARGET.lower(SITE).model
PIECES = (
    b"'", b'"', b"\\", b"|", b"{", b"}", b"(", b")", b"[", b"]", b"@(", b"=", b",", b"\n", b"\r\n", b"\0", b"\xff", b"-", b"/",
    b"null", b"1e999", b"Infinity", b"-1", b"99999999999", b"S-1-5-99999999999", b"D:(A;;CC;;;)", b"::", b"dword:", b"hex(1):0",
    b"\xed\xa0\x80", b"true", b"RA4=", b"Profile=", b"[-", b"Any", b"*.",
)  # fmt: skip


def broken(r, content):
    content = bytearray(content)
    for _ in range(r.randint(1, 4)):
        if not content:
            break
        at = r.randrange(len(content))
        match r.randrange(4):
            case 0:
                del content[at : at + r.randint(1, 60)]
            case 1:
                content[at:at] = r.choice(PIECES)
            case 2:
                content[at] = r.randrange(256)
            case _:
                begin = r.randrange(len(content))
                content[at:at] = content[begin : begin + r.randint(1, 60)]
    return bytes(content)


def forms():
    artefact = {each.name: each.content for each in TARGET.render(MODEL)}
    export = export_of(MODEL, accounts=ACCOUNTS)
    return {
        "script": {"firewall.ps1": artefact["firewall.ps1"]},
        "json": {"rules.json": artefact["rules.json"]},
        "registry": {name: content.decode("utf-16").encode() for name, content in export.items()},
    }


@pytest.mark.parametrize("form", ["script", "json", "registry"])
def test_whatever_is_broken_is_read_or_refused(form):
    r = random.Random(form)
    files = forms()[form]
    data = files.get("firewall.ps1", b"").find(b"$Site")
    outcomes = {"read": 0, "refused": 0}
    for _ in range(500):
        name = r.choice(sorted(files))
        whole = files[name]
        # Most of a script is code, of which every byte counts: it is broken where its data stands.
        cut = (data, whole.index(b"# ---- code")) if data >= 0 else (0, len(whole))
        content = whole[: cut[0]] + broken(r, whole[cut[0] : cut[1]]) + whole[cut[1] :]
        refused = None
        try:
            TARGET.read(SITE, [Artefact(n, content if n == name else c) for n, c in files.items()])
        except UnreadableError as error:
            refused = error
        outcomes["read" if refused is None else "refused"] += 1
        if refused is not None:
            assert refused.file == name or form == "registry"
            assert 0 <= refused.line <= content.count(b"\n") + 1
    assert min(outcomes.values()) > 5, outcomes
