"""The shipped policy, as a user first compiles it."""

from pathlib import Path

import pytest
from paloalto_reading import panconf_lines, read_with_panos
from support import AS_OF
from test_paloalto_facts import dangling, entry_problems, facts, problems_of  # noqa: F401 - facts is a fixture

from egressc.api import Request, compile_request
from egressc.diagnostics import has_errors

POLICIES = Path(__file__).resolve().parents[3] / "policies"


@pytest.fixture(scope="module")
def built():
    result = compile_request(Request(paths=(str(POLICIES),), as_of=AS_OF, firewalls=("dublin-edge",)))
    assert not has_errors(result.diagnostics)
    (build,) = result.builds
    assert build.site.target == "paloalto"
    files = {a.name: a.content for a in build.render()}
    return build, files["config.xml"], files["commands.set"]


def test_pan_os_python_reads_every_rule_category_and_decryption_rule(built):
    build, config, _ = built
    model, read = build.lowering.model, read_with_panos(config)
    assert [r.name for r in read["security"]] == [r.name for r in model.security_rules]
    assert [r.name for r in read["decryption"]] == [r.name for r in model.decryption_rules]
    assert {c.name: tuple(c.url_value) for c in read["categories"]} == {c.name: c.entries for c in model.categories}
    entries = {c.name: set(c.url_value) for c in read["categories"]}
    for part in build.lowering.parts:
        assert part.names, part.rule.key
        (rule,) = [r for r in read["security"] if r.name in part.names]
        hosts = {e.pattern.text for e in part.reach.endpoints}
        assert {entry.partition("/")[0] for entry in entries[rule.category[0]]} == hosts
        assert rule.action == ("deny" if part.rule.is_deny else "allow")
    assert any("*.servicebus.windows.net/" in found for found in entries.values())


def test_exactly_the_rules_that_ask_for_it_are_exempt(built):
    build, config, _ = built
    exempt = {r.name for r in read_with_panos(config)["decryption"]}
    asked = {p.rule.key for p in build.lowering.parts if p.rule.rule.inspection.value == "must-not"}
    assert asked
    assert {p.rule.key for p in build.lowering.parts if set(p.names) & exempt} == asked


def test_panconf_makes_the_same_commands(built):
    _, config, commands = built
    ours = {line for line in commands.decode().splitlines() if not line.startswith("move ")}
    assert ours == set(panconf_lines(config))


@pytest.mark.reference
def test_nothing_breaks_a_fact(built, facts):  # noqa: F811 - the fixture
    _, config, _ = built
    assert problems_of(config, facts) == []
    assert dangling(config) == []
    assert entry_problems(config) == []
