"""The proof and `verify` as a user meets them, with a reader of a made-up language in the place of a target's own.

The language: one ruling on a line, `allow|deny|left NAME [doubt]`, where NAME is a rule of the policy, `closing`, or
`any` for every flow. What the readers of the real targets do is tested where they live.
"""

from __future__ import annotations

import io
import json
from dataclasses import replace
from types import SimpleNamespace

import jsonschema
import pytest
from test_machine_forms import schema

from egressc.meaning import Block, Meaning, Outcome, Ruling, UnreadableError
from egressc.proof_sight import Sight
from egressc.targets.protocol import Artefact
from egressc.targets.registry import load_target

POLICY = """policy web "Web" {
    from servers
    allow api "The API" { to 198.51.100.7 ports 443/tcp }
    allow docs "Documents" { to 198.51.100.80/28 ports 80/tcp }
    deny hole "One of them" { to 198.51.100.81 ports 80/tcp }
}
"""

INVENTORY = """groups:
  servers: {networks: [10.1.0.0/24]}
internal-networks: [10.0.0.0/8]
firewalls:
  edge: {target: iptables, settings: {mode: gateway}}
"""

HOSTS = INVENTORY.replace("servers:", "a: {networks: [10.9.0.1]}\n  servers:").replace(
    "{mode: gateway}", "{mode: host}"
)

GOOD = "deny web/hole\nallow web/api\nallow web/docs\ndeny closing\n"


def reader(site, files):
    rulings = []
    for file in files:
        for number, line in enumerate(file.content.decode().splitlines(), 1):
            words = line.split()
            if not words or words[0] not in set(Outcome):
                raise UnreadableError(f"`{line}` is no rule", file.name, number)
            sight = Sight(site, lambda _: (), per_group=False)
            rule = {r.identity: r for r in site.rules}.get(words[1])
            if rule is not None:
                blocks = sight.blocks(rule.reach)
            elif words[1] == "closing":
                sources = site.groups[0].addresses
                blocks = (Block(addresses=replace_all(site), sources=sources),)
            else:
                blocks = (Block(),)
            doubt = " ".join(words[2:])
            rulings.append(Ruling(words[1], Outcome(words[0]), blocks, f"{file.name}:{number}", doubt))
    return Meaning(tuple(rulings), remarks=("a remark",) if len(files) > 1 else ())


def replace_all(site):
    from egressc.addresses import ALL

    return ALL.difference(site.internal)


@pytest.fixture
def wired(tmp_path, monkeypatch):
    """A folder with a policy, and a target that writes and reads the made-up language."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "web.egress").write_text(POLICY, encoding="utf-8")
    (tmp_path / "inventory.yaml").write_text(INVENTORY, encoding="utf-8")
    holder = SimpleNamespace(text=GOOD, folder=tmp_path)
    real = load_target("iptables")
    fake = replace(real, read=reader, render=lambda _: (Artefact("rules.v4", holder.text.encode()),))
    for module in ("api", "api_build"):
        monkeypatch.setattr(f"egressc.{module}.load_target", lambda _: fake)
    return holder


def test_what_is_written_was_read_back(wired, run):
    status, out, _ = run("compile")
    assert status == 0
    assert "  proved" in out
    report = json.loads((wired.folder / "build/edge/fidelity.json").read_text(encoding="utf-8"))
    assert report["proved"] == ["rules.v4"]
    assert "`rules.v4`" in (wired.folder / "build/edge/fidelity.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (GOOD.replace("deny web/hole\n", ""), "`web/hole`"),
        (
            GOOD.replace("deny web/hole\n", "").replace("deny closing", "deny web/hole\ndeny closing"),
            "198.51.100.81:80",
        ),
        (GOOD.replace("allow web/api\n", ""), "198.51.100.7:443"),
        (GOOD.replace("allow web/api", "left web/api"), "198.51.100.7:443"),
        (GOOD.replace("deny closing\n", ""), "the default deny is missing"),
        ("allow any\n" + GOOD, "allows-more"),
        ("deny any\n" + GOOD, "allows-less"),
        (GOOD.replace("allow web/docs", "allow web/docs who knows"), "who knows"),
        (GOOD + "nonsense\n", "rules.v4:5: `nonsense` is no rule"),
    ],
)
def test_what_cannot_be_proved_is_a_defect_and_nothing_is_written(wired, run, text, told):
    wired.text = text
    for verb in ("compile", "check"):
        status, out, err = run(verb)
        assert status == 70, verb
        assert told in err
        assert "`edge` (iptables)" in err
        assert "Traceback" not in err
        assert out == ""
    assert not (wired.folder / "build").exists()


def live(wired, text):
    (wired.folder / "live.txt").write_text(text, encoding="utf-8")
    return "live.txt"


def test_equal(wired, run):
    status, out, err = run("verify", "edge", live(wired, GOOD))
    assert (status, out, err) == (0, "edge (iptables): equal\n", "")


def test_drift_names_the_live_rule_the_rule_of_the_policy_and_a_flow(wired, run):
    status, out, _ = run(
        "verify", "edge", live(wired, "allow any\n" + GOOD.replace("allow web/api\n", "deny web/api\n"))
    )
    assert status == 1
    lines = out.splitlines()
    assert lines[0] == "edge (iptables): not equal"
    more = lines.index("allows more than the policy")
    assert "live rule any (live.txt:1)" in lines[more + 1]
    assert lines[more + 2].lstrip().startswith("e.g. 10.1.0.0 of servers → ")


def test_every_kind_of_difference_has_its_list(wired, run):
    cases = {
        "allows_more": GOOD.replace("deny web/hole\n", ""),
        "allows_less": GOOD.replace("allow web/api\n", ""),
        "unknown": GOOD.replace("allow web/api\n", "allow web/api an external list\n"),
    }
    for key, text in cases.items():
        status, out, _ = run("verify", "edge", live(wired, text), "--format", "json")
        found = json.loads(out)
        jsonschema.Draft202012Validator(schema("verify")).validate(found)
        assert status == 1
        assert found["equal"] is False
        assert {k for k in ("allows_more", "allows_less", "inspection_differs", "unknown") if found[k]} == {key}
        (one,) = found[key]
        assert one["example"]["group"] == "servers"
        assert one["rule"]["file"] == "web.egress"


def test_a_missing_deny_names_what_lets_the_flow_through(wired, run):
    text = GOOD.replace("deny web/hole\n", "")
    found = json.loads(run("verify", "edge", live(wired, text), "--format", "json")[1])
    (one,) = found["allows_more"]
    assert one["rule"]["rule"] == "web/hole"
    assert [each["name"] for each in one["live_rules"]] == ["web/docs"]
    assert one["example"]["address"] == "198.51.100.81"


@pytest.mark.parametrize(
    ("text", "key", "rule", "names", "sentence"),
    [
        # a live rule has what the missing one should have: said once, with that live rule
        (
            GOOD.replace("allow web/api", "deny web/api"),
            "allows_less",
            "web/api",
            ["web/api"],
            "`web/api` allows it, and no rule says so",
        ),
        (
            GOOD.replace("deny web/hole\n", "").replace("deny closing\n", ""),
            "allows_more",
            "web/hole",
            ["web/docs"],
            "`web/hole` denies it, and no rule says so",
        ),
        # the rule is there, behind one that takes its flows
        (
            GOOD.replace("allow web/api", "deny web/api\nallow web/api"),
            "allows_less",
            "web/api",
            ["web/api"],
            "`web/api` allows it",
        ),
    ],
)
def test_a_missing_rule_is_told_once(wired, run, text, key, rule, names, sentence):
    found = json.loads(run("verify", "edge", live(wired, text), "--format", "json")[1])
    told = [
        ([live["name"] for live in each["live_rules"]], each["sentence"])
        for each in found[key]
        if each["rule"] is not None and each["rule"]["rule"] == rule
    ]
    assert told == [(names, sentence)]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        # what the live rules say wrong is theirs, whatever is missing: `any` is no rule of the policy
        (
            GOOD.replace("deny closing", "allow any"),
            {(None, "any", "no rule of the policy allows it"), (None, "any", "the default deny is missing")},
        ),
        # two live rules deny what the missing one should allow
        (
            "deny web/api\ndeny web/docs\n" + GOOD.replace("allow web/docs\n", "deny web/hole\nallow web/hole\n"),
            {
                ("web/api", "web/api", "`web/api` allows it"),
                ("web/docs", "web/docs", "`web/docs` allows it, and no rule says so"),
            },
        ),
    ],
)
def test_two_faults_are_told_as_two(wired, run, text, told):
    found = json.loads(run("verify", "edge", live(wired, text), "--format", "json")[1])
    pairs = [
        (each["rule"] and each["rule"]["rule"], live["name"], each["sentence"])
        for each in (*found["allows_more"], *found["allows_less"])
        for live in each["live_rules"]
    ]
    assert len(pairs) == len(told)
    assert set(pairs) == told


def test_what_stands_late_is_told_beside_what_is_missing(wired, run):
    part = 'allow part "A part of them" { to 198.51.100.80 ports 80/tcp }\n    deny hole'
    (wired.folder / "web.egress").write_text(POLICY.replace("deny hole", part), encoding="utf-8")
    text = GOOD.replace("allow web/docs", "deny web/docs\nallow web/part")
    found = json.loads(run("verify", "edge", live(wired, text), "--format", "json")[1])
    assert {(each["rule"]["rule"], each["example"]["address"], each["sentence"]) for each in found["allows_less"]} == {
        ("web/docs", "198.51.100.80", "`web/docs` allows it"),
        ("web/docs", "198.51.100.82", "`web/docs` allows it, and no rule says so"),
    }


def test_rules_of_other_origin_may_decide_what_is_left_to_them(wired, run):
    inventory = wired.folder / "inventory.yaml"
    inventory.write_text(INVENTORY.replace("{mode: gateway}", "{mode: gateway, default-deny: false}"), encoding="utf-8")
    text = GOOD.replace("deny closing\n", "")
    assert run("verify", "edge", live(wired, text))[0] == 0
    assert run("verify", "edge", live(wired, text + "deny any\n"))[0] == 0
    assert run("verify", "edge", live(wired, text + "allow any\n"))[0] == 0
    assert run("verify", "edge", live(wired, "deny any\n" + text))[0] == 1


def test_markdown_and_json_say_the_same(wired, run):
    name = live(wired, "allow any\n" + GOOD)
    status, out, _ = run("verify", "edge", name, "--format", "markdown")
    assert status == 1
    assert out.startswith("# edge: **not equal**\n")
    assert "| `any (live.txt:1)` |" in out


def test_standard_input_folders_and_several_files(wired, run, monkeypatch):
    folder = wired.folder / "live"
    folder.mkdir()
    (folder / "1.txt").write_text("deny web/hole\nallow web/api\n", encoding="utf-8")
    (folder / "2.txt").write_text("allow web/docs\ndeny closing\n", encoding="utf-8")
    (folder / "fidelity.json").write_text("{}", encoding="utf-8")
    status, out, _ = run("verify", "edge", "live")
    assert (status, out) == (0, "edge (iptables): equal\n  note: a remark\n")
    assert run("verify", "edge", "live/1.txt", "live/2.txt")[0] == 0
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(GOOD.encode())))
    assert run("verify", "edge", "-")[0] == 0


def test_what_cannot_be_read_could_not_be_compared(wired, run):
    status, out, err = run("verify", "edge", "missing.txt")
    assert (status, out) == (2, "")
    assert err.startswith("error[E0437]: the configuration `missing.txt` cannot be read")
    status, _, err = run("verify", "edge", live(wired, "nonsense\n"))
    assert status == 2
    assert "`nonsense` is no rule" in err
    assert "live.txt:1" in err
    status, out, _ = run("verify", "edge", "missing.txt", "--format", "json")
    found = json.loads(out)
    jsonschema.Draft202012Validator(schema("verify")).validate(found)
    assert (status, found["equal"], found["diagnostics"][0]["code"]) == (2, None, "E0437")


def test_names_that_are_wrong(wired, run):
    status, _, err = run("verify", "egde", live(wired, GOOD))
    assert status == 2
    assert "did you mean `edge`?" in err
    assert run("verify", "edge")[0] == 2
    assert run("verify", "edge", "live.txt", "--as-of", "tomorrow")[0] == 2


def test_a_host_firewall_of_several_groups_wants_the_group(wired, run):
    (wired.folder / "inventory.yaml").write_text(HOSTS, encoding="utf-8")
    status, _, err = run("verify", "edge", live(wired, GOOD))
    assert status == 2
    assert "name one of `edge/a`, `edge/servers`" in err


def test_errors_of_the_policy_are_said(wired, run):
    (wired.folder / "web.egress").write_text(POLICY.replace("443/tcp", "443/tpc"), encoding="utf-8")
    status, out, err = run("verify", "edge", live(wired, GOOD))
    assert (status, out) == (1, "")
    assert "E0337" in err
