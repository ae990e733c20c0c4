"""Templates and includes: what takes effect, under which name, for whom."""

from __future__ import annotations

import pytest
from resolve_support import codes_of, resolve_texts, rules_of

ACCOUNTS = "service-account a { linux-user a } service-account b { linux-user b }"
RULE = "{ to x.example.com ports 443 }"


def effect(folder, main, **others):
    """Groups and accounts by identity."""
    found = rules_of(folder, f"{ACCOUNTS}\n{main}", **others)
    return {identity: (rule["from"], rule["as"]) for identity, rule in found.items()}


def test_template_takes_effect_only_where_it_is_included(tmp_path):
    assert effect(
        tmp_path,
        f"""
        template policy t "d" {{ allow r "d" {RULE} }}
        template policy unused "d" {{ from g allow r "d" {RULE} }}
        policy p "d" {{ from g include t allow own "d" {RULE} }}
        policy q "d" {{ from h as a include t }}
        """,
    ) == {
        "p/own": (["g"], "any"),
        "p/t/r": (["g"], "any"),
        "q/t/r": (["h"], ["a"]),
    }


def test_policies_of_imported_files_take_effect_only_where_they_are_included(tmp_path):
    lib = f'policy lib "d" {{ from g allow r "d" {RULE} }} policy other "d" {{ from g allow r "d" {RULE} }}'
    main = f'import "lib.egress" policy p "d" {{ from h include lib allow own "d" {RULE} }}'
    assert effect(tmp_path, main, lib=lib) == {"p/lib/r": (["h"], "any"), "p/own": (["h"], "any")}


def test_included_policy_that_is_compiled_itself_counts_for_both(tmp_path):
    main = f'policy lib "d" {{ from g allow r "d" {RULE} }} policy p "d" {{ from h include lib }}'
    assert effect(tmp_path, main) == {"lib/r": (["g"], "any"), "p/lib/r": (["h"], "any")}


def test_defaults_are_replaced_and_what_a_rule_says_stays(tmp_path):
    assert effect(
        tmp_path,
        f"""
        template policy t "d" {{
            from their as a
            allow plain "d" {RULE}
            allow says "d" {{ from its as b to x.example.com ports 443 }}
        }}
        policy nothing "d" {{ include t }}
        policy only-from "d" {{ from g include t }}
        policy only-as "d" {{ as b include t }}
        policy any-from "d" {{ from any-group include t }}
        """,
    ) == {
        "nothing/t/plain": (["their"], ["a"]),
        "nothing/t/says": (["its"], ["b"]),
        "only-from/t/plain": (["g"], ["a"]),
        "only-from/t/says": (["its"], ["b"]),
        "only-as/t/plain": (["their"], ["b"]),
        "only-as/t/says": (["its"], ["b"]),
        "any-from/t/plain": ("any", ["a"]),
        "any-from/t/says": (["its"], ["b"]),
    }


def test_of_nested_includes_the_outermost_that_states_it_decides(tmp_path):
    assert effect(
        tmp_path,
        f"""
        template policy inner "d" {{ from i as a allow r "d" {RULE} }}
        template policy middle "d" {{ from m include inner allow r "d" {RULE} }}
        template policy silent "d" {{ include middle }}
        policy states "d" {{ from s include silent }}
        policy leaves "d" {{ include silent }}
        """,
    ) == {
        "states/inner/r": (["s"], ["a"]),
        "states/middle/r": (["s"], "any"),
        "leaves/inner/r": (["m"], ["a"]),
        "leaves/middle/r": (["m"], "any"),
    }


def test_other_defaults_stay_those_of_the_policy_that_states_the_rule(tmp_path):
    found = rules_of(
        tmp_path,
        f"""
        template policy t "d" {{ log feature theirs no-tls-inspection reference "R" allow r "d" {RULE} }}
        template policy u "d" {{ allow r "d" {RULE} }}
        policy p "d" {{ from g log feature ours ticket "T" reference "S" no-tls-inspection include t include u }}
        """,
    )
    t, u = found["p/t/r"], found["p/u/r"]
    assert (t["log"], t["feature"], t["inspection"], t["reference"], t["ticket"]) == (
        True, "theirs", "must-not", "R", "T",
    )  # fmt: skip
    assert (u["log"], u["feature"], u["inspection"], u["reference"], u["ticket"]) == (None, None, "may", "S", "T")
    assert t["policy"] == u["policy"] == "p"


def test_policy_reached_twice_counts_once(tmp_path):
    assert effect(
        tmp_path,
        f"""
        template policy t "d" {{ allow r "d" {RULE} }}
        template policy left "d" {{ include t }}
        template policy right "d" {{ include t }}
        policy p "d" {{ from g include left include right include t }}
        """,
    ) == {"p/t/r": (["g"], "any")}


@pytest.mark.parametrize(
    ("left", "right", "outermost", "expected"),
    [
        ("from g", "from h", "", ["E0228"]),
        ("from g", "from any-group", "", ["E0228"]),
        ("from g h", "from h g", "", []),
        ("from g", "from h", "from i", []),
        ("as a", "as b", "from g", ["E0228"]),
        ("as a", "", "from g", ["E0228"]),
        ("as a b", "as b a", "from g", []),
    ],
)
def test_policy_reached_twice_must_mean_the_same_both_times(tmp_path, left, right, outermost, expected):
    main = f"""{ACCOUNTS}
    template policy t "d" {{ allow r "d" {RULE} }}
    template policy left "d" {{ {left} include t }}
    template policy right "d" {{ {right} include t }}
    policy p "d" {{ {outermost} include left include right }}
    """
    assert codes_of(tmp_path, main) == expected


def test_policy_reached_twice_whose_rules_say_all_themselves_means_the_same(tmp_path):
    assert effect(
        tmp_path,
        """
        template policy t "d" { allow r "d" { from its as a to x.example.com ports 443 } }
        template policy left "d" { from g include t }
        template policy right "d" { from h as b include t }
        policy p "d" { include left include right }
        """,
    ) == {"p/t/r": (["its"], ["a"])}


def test_open_from_is_reported_once_at_the_include(tmp_path):
    _, (found,) = resolve_texts(
        tmp_path,
        f"""
        template policy t "d" {{ allow r "d" {RULE} allow s "d" {RULE} }}
        template policy u "d" {{ include t }}
        policy p "d" {{ include u include t }}
        """,
    )
    assert (found.code, found.span.text) == ("E0226", "u")


def test_policy_without_from_that_is_included_by_one_with_it(tmp_path):
    # By itself it is not complete; where it is only included, it is.
    lib = f'policy lib "d" {{ allow r "d" {RULE} }}'
    assert codes_of(tmp_path, f'{lib} policy p "d" {{ from g include lib }}') == ["E0225"]
    assert effect(tmp_path, 'import "lib.egress" policy p "d" { from g include lib }', lib=lib) == {
        "p/lib/r": (["g"], "any")
    }


def test_missing_from_of_policy_and_template_is_one_mistake(tmp_path):
    main = f"""
    template policy t "d" {{ allow r "d" {RULE} }}
    policy p "d" {{ include t allow own "d" {RULE} allow more "d" {RULE} }}
    """
    _, (found,) = resolve_texts(tmp_path, main)
    assert (found.code, found.span.text) == ("E0225", "own")
    assert [related.span.text for related in found.related] == ["more"]


def test_circle_shows_its_chain(tmp_path):
    main = f"""
    template policy a "d" {{ include b }}
    template policy b "d" {{ include c allow r "d" {RULE} }}
    template policy c "d" {{ include a }}
    policy p "d" {{ from g include a }}
    """
    _, (found,) = resolve_texts(tmp_path, main)
    assert (found.code, found.span.text) == ("E0227", "a")
    assert found.message == "policies include each other: `a` → `b` → `c` → `a`"


def test_chain_of_includes_longer_than_the_stack(tmp_path):
    count = 1500
    chain = "\n".join(f'template policy t{i} "d" {{ include t{i + 1} }}' for i in range(count))
    main = f'{chain} template policy t{count} "d" {{ allow r "d" {RULE} }} policy p "d" {{ from g include t0 }}'
    assert effect(tmp_path, main) == {f"p/t{count}/r": (["g"], "any")}
