"""The fidelity report as files: JSON that says what the report says, Markdown in which no text can act."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from support import compilation_of

from egressc.fidelity import Approximation, Verdict
from egressc.fidelity_files import fidelity_json, fidelity_markdown
from egressc.flows import Flow
from egressc.markdown import code, table_cell
from egressc.reasons import Effect, Reason

POLICY = """
service-account acc "A" { windows-service S }
policy p "P" {
    from one
    allow web "W" { to a.test.io b.test.io/p ports 443 as acc }
    allow net "N" { to 192.0.2.0/24 ports 8443/tcp }
    deny not "N" { to *.bad.io ports 443 }
}
"""
INVENTORY = """
groups:
  one: {networks: [10.0.0.7]}
  dual: {networks: [10.0.0.8, "2001:db8::7"]}
firewalls:
  cloud: {target: azure-firewall, accept: [{reason: account, why: 'RISK-1 | "x"'}], settings: {policy: p, location: l}}
"""


@pytest.fixture(scope="module")
def build():
    found = compilation_of(POLICY, INVENTORY)
    assert found.builds, found.diagnostics
    return found.builds[0]


def test_json_says_what_the_report_says(build):
    found = json.loads(fidelity_json(build.fidelity, build.target))
    assert found["firewall"] == "cloud"
    assert found["target"] == "azure-firewall"
    assert found["proved"] == list(build.fidelity.proved)
    assert found["as_of"] == "2026-11-22"
    assert found["assumes"] == list(build.fidelity.assumes)
    assert [rule["rule"] for rule in found["rules"]] == ["p/net", "p/not", "p/web"]
    web = found["rules"][-1]
    assert (web["file"], web["line"], web["column"], web["action"]) == ("policy.egress", 5, 11, "allow")
    assert web["verdict"] == "wider"
    account = next(a for a in web["approximations"] if a["reason"] == "account")
    assert account["why"] == 'RISK-1 | "x"'
    assert (account["effect"], account["level"], account["accepted"]) == ("wider", "note", True)
    assert account["example"] == {
        "group": "one",
        "source": "10.0.0.7",
        "host": "a.test.io",
        "transport": "tcp",
        "port": 443,
    }


def test_one_rule_on_each_line(build):
    lines = fidelity_json(build.fidelity, build.target).decode().split("\n")
    assert sum(line.startswith('  {"rule": ') for line in lines) == 3


def test_every_part_of_a_flow_is_spelled(build):
    flow = Flow("dual", "acc", "h.io", "/p", "192.0.2.1", "s.io", "udp", 53, 6)
    whole = Approximation(
        reason=Reason.DEPTH,
        effect=Effect.WIDER,
        level=build.fidelity.rules[-1].approximations[0].level,
        accepted=False,
        why="",
        sentence='a "quoted" \\ sentence\u2028',
        example=flow,
    )
    fidelity = replace(build.fidelity, whole=(whole,), rules=())
    text = fidelity_json(fidelity, build.target)
    assert text.isascii()
    found = json.loads(text)
    assert found["rules"] == []
    assert found["approximations"][0]["sentence"] == 'a "quoted" \\ sentence\u2028'
    assert found["approximations"][0]["example"] == {
        "group": "dual", "source": "2001:db8::7", "account": "acc", "host": "h.io", "path": "/p", "address": "192.0.2.1",
        "shared_name": "s.io", "transport": "udp", "port": 53,
    }  # fmt: skip


def test_what_is_left_out_and_what_is_idle_is_said(build):
    first = replace(build.fidelity.rules[0], assumptions=())
    rules = (
        replace(first, verdict=Verdict.OMITTED, left_out=True),
        replace(first, verdict=Verdict.NOT_APPLICABLE, inspection_idle=True),
        first,
    )
    fidelity = replace(build.fidelity, rules=rules)
    one, two, three = json.loads(fidelity_json(fidelity, build.target))["rules"]
    assert one["left_out"] is True
    assert two["inspection"] == "not-applicable"
    assert not {"left_out", "inspection"} & set(three)
    text = fidelity_markdown(fidelity, build.target).decode()
    assert "| omitted | left out: the default deny stops what it is for |" in text
    assert "| not-applicable | inspection is not applicable: this device never inspects |" in text


def test_the_table_has_a_row_for_each_rule(build):
    text = fidelity_markdown(build.fidelity, build.target).decode()
    assert "3 rules of the policy as of 2026-11-22: 2 exact, 1 wider." in text
    assert "Proved: `template.json` read back and compared, flow for flow." in text
    unproved = fidelity_markdown(replace(build.fidelity, proved=()), build.target).decode()
    assert "Not proved: nothing was read back." in unproved
    rows = [line for line in text.split("\n") if line.startswith("| `p/")]
    assert len(rows) == 3
    for row in rows:
        assert len(re.findall(r"(?<!\\)\|", row)) == 5, row
    assert r"accepted: RISK-1 \| " in text


HOSTILE = (
    "a|b",
    "`tick`",
    "<script>",
    "[x](y)",
    "*b*",
    "_i_",
    "\\",
    "@all",
    "#1",
    "$(x)",
    "\u202e",
    "a\nb",
    "\x00",
    "``",
    "~~s~~",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_text_in_a_table_cell_is_only_text(text):
    cell = table_cell(text)
    assert not re.search(r"(?<!\\)(?:\\\\)*[|`<\[*_@#$~]", cell)
    assert cell.isprintable()
    inline = code(text)
    assert inline.isprintable()
    assert not re.search(r"(?<!\\)\|", inline)
    fence = re.match("`+", inline)[0]
    assert inline.endswith(fence)
    assert fence not in inline[len(fence) : -len(fence)].strip("` ") or len(fence) > 1


def test_plain_text_stays_as_it_is():
    assert table_cell("one → a.test.io:443/udp (an address)") == "one → a.test.io:443/udp (an address)"
    assert code("egressc-web-1") == "`egressc-web-1`"
