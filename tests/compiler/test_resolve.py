"""The policy model of whole files: defaults, settings, and what does not depend on order."""

from __future__ import annotations

import random
from datetime import date

import pytest
from resolve_support import codes_of, plain, policy_of, resolve_texts, rules_of

from egressc.anything import ANY
from egressc.policy import Action, Inspection
from egressc.project import load_project
from egressc.resolve import named_groups, resolve

CONNECTORS = r"""
# the first example of the language's definition
import "certificates.egress"

service-account entra-connector "Microsoft Entra private network connector" {
    windows-account "NT AUTHORITY\NETWORK SERVICE"
    windows-service "WAPCSvc"
    linux-user      wapc
}
endpoints cloud-service "Microsoft Entra application proxy cloud service" {
    *.msappproxy.net
    *.servicebus.windows.net
    fallback { service-tag AzureCloud }
}
policy dublin-connectors "Outbound access of the private network connectors" {
    owner     "network-security@contoso.example"
    reference "https://learn.microsoft.com/entra"
    ticket    "CHG-1"
    review-by 2027-06-30
    from      connectors
    as        entra-connector

    allow cloud-service "Communication between the connector and the cloud service" {
        to    cloud-service
        ports 443/https
        no-tls-inspection
    }
    allow certificate-status "Certificate verification" {
        to    digicert-revocation microsoft-revocation
        ports 80/http
        ticket "CHG-2"
    }
    deny shadow-storage "No connector talks to storage accounts" {
        to    *.blob.core.windows.net
        ports 443/https
    }
}
"""
CERTIFICATES = """
endpoints digicert-revocation { crl3.digicert.com crl4.digicert.com fallback { 192.0.2.0/24 } }
endpoints microsoft-revocation { www.microsoft.com/pkiops fallback { service-tag AzureFrontDoor.Frontend } }
"""


def test_example_of_the_language(tmp_path):
    policy = policy_of(tmp_path, CONNECTORS, certificates=CERTIFICATES)
    common = {
        "from": ["connectors"], "as": ["entra-connector"], "except": [], "log": None, "feature": None,
        "expires": None, "policy": "dublin-connectors", "reference": "https://learn.microsoft.com/entra",
    }  # fmt: skip
    assert [plain(rule) for rule in policy.rules] == [
        common
        | {
            "identity": "dublin-connectors/certificate-status",
            "action": "allow",
            "description": "Certificate verification",
            "to": ["crl3.digicert.com", "crl4.digicert.com", "www.microsoft.com/pkiops"],
            "fallback": ["192.0.2.0/24", "service-tag AzureFrontDoor.Frontend"],
            "ports": ["80/http"],
            "inspection": "may",
            "ticket": "CHG-2",
        },
        common
        | {
            "identity": "dublin-connectors/cloud-service",
            "action": "allow",
            "description": "Communication between the connector and the cloud service",
            "to": ["*.msappproxy.net", "*.servicebus.windows.net"],
            "fallback": ["service-tag AzureCloud"],
            "ports": ["443/https"],
            "inspection": "must-not",
            "ticket": "CHG-1",
        },
        common
        | {
            "identity": "dublin-connectors/shadow-storage",
            "action": "deny",
            "description": "No connector talks to storage accounts",
            "to": ["*.blob.core.windows.net"],
            "fallback": None,
            "ports": ["443/https"],
            "inspection": "may",
            "ticket": "CHG-1",
        },
    ]
    head = policy.rules[0].policy
    assert head is policy.rules[2].policy
    assert (head.owner, head.ticket, head.review_by) == ("network-security@contoso.example", "CHG-1", date(2027, 6, 30))
    assert head.description == "Outbound access of the private network connectors"
    assert policy.rules[2].span.text == "shadow-storage"
    (account,) = policy.accounts
    assert account.bindings == (
        ("windows-account", (r"NT AUTHORITY\NETWORK SERVICE",)),
        ("windows-service", ("WAPCSvc",)),
        ("linux-user", ("wapc",)),
    )
    assert [source.name for source in policy.sources] == ["certificates.egress", "main.egress"]


def test_defaults_hold_where_a_rule_says_nothing_and_a_rule_replaces_them(tmp_path):
    rules = rules_of(
        tmp_path,
        """
        service-account a { linux-user a } service-account b { linux-user b }
        policy p "d" {
            from g2 g1   as b a   log   feature beta   no-tls-inspection
            allow keeps "d" { to x.example.com ports 443 }
            allow replaces "d" {
                from h as b log off feature gamma tls-inspection expires 2027-06-30
                to x.example.com ports 443
            }
            allow undoes "d" { to x.example.com ports 443 tls-inspection may from any-group }
        }
        """,
    )
    keeps, replaces, undoes = rules["p/keeps"], rules["p/replaces"], rules["p/undoes"]
    assert (keeps["from"], keeps["as"]) == (["g1", "g2"], ["a", "b"])
    assert (keeps["log"], keeps["feature"], keeps["inspection"], keeps["expires"]) == (True, "beta", "must-not", None)
    assert (replaces["from"], replaces["as"]) == (["h"], ["b"])
    assert (replaces["log"], replaces["feature"]) == (False, "gamma")
    assert (replaces["inspection"], replaces["expires"]) == ("must", "2027-06-30")
    assert (undoes["inspection"], undoes["from"]) == ("may", "any")


def test_without_as_any_account_and_any_group_only_when_said(tmp_path):
    policy = policy_of(tmp_path, 'policy p "d" { from any-group allow r "d" { to a.example.com ports 443 } }')
    assert policy.rules[0].accounts is ANY
    assert policy.rules[0].groups is ANY


@pytest.mark.parametrize(
    ("action", "ports", "expected"),
    [
        ("allow", "443/https", Inspection.MUST_NOT),
        ("allow", "5671/tls", Inspection.MUST_NOT),
        ("allow", "80/http 443/https", Inspection.MUST_NOT),
        ("allow", "80/http", Inspection.MAY),
        ("allow", "22/tcp 53/udp", Inspection.MAY),
        ("deny", "443/https", Inspection.MAY),
    ],
)
def test_default_inspection_is_silent_where_it_does_not_fit(tmp_path, action, ports, expected):
    policy = policy_of(
        tmp_path, f'policy p "d" {{ from g no-tls-inspection {action} r "d" {{ to a.example.com ports {ports} }} }}'
    )
    assert policy.rules[0].action is Action(action)
    assert policy.rules[0].inspection is expected


@pytest.mark.parametrize("setting", ["no-tls-inspection", "tls-inspection", "tls-inspection may"])
@pytest.mark.parametrize(
    ("action", "ports", "expected"),
    [
        ("allow", "443 80", []),
        ("allow", "80", ["E0232"]),
        ("allow", "any/tcp any/udp", ["E0232"]),
        ("deny", "443", ["E0231"]),
        ("deny", "80", ["E0231"]),
    ],
)
def test_inspection_written_in_a_rule_that_it_does_not_fit(tmp_path, setting, action, ports, expected):
    text = f'policy p "d" {{ from g {action} r "d" {{ to a.example.com ports {ports} {setting} }} }}'
    assert codes_of(tmp_path, text) == expected


def test_bare_ports_and_the_order_of_ports(tmp_path):
    rules = rules_of(
        tmp_path, 'policy p "d" { from g allow r "d" { to a.example.com ports any/udp 443/tcp 8080-8090/tls 443 80 } }'
    )
    assert rules["p/r"]["ports"] == ["80/http", "443/https", "443/tcp", "8080-8090/tls", "any/udp"]


@pytest.mark.parametrize(
    ("text", "again"),
    [
        ('policy p "d" { from any-group any-group allow r "d" { to a.example.com ports 443 } }', "any-group"),
        ('policy p "d" { from g h g allow r "d" { to a.example.com ports 443 } }', "g"),
        ('policy p "d" { from g allow r "d" { to a.example.com A.Example.COM ports 443 } }', "A.Example.COM"),
        ('policy p "d" { from g allow r "d" { to 10.0.0.0/31 10.0.0.0-10.0.0.1 ports 443 } }', "10.0.0.0-10.0.0.1"),
        ('policy p "d" { from g allow r "d" { to service-tag Sql service-tag SQL ports 443 } }', "service-tag SQL"),
        ('policy p "d" { from g allow r "d" { to *.b.com except a.b.com a.b.com ports 443 } }', "a.b.com"),
        ('policy p "d" { from g allow r "d" { to a.example.com ports 443 80 443/https } }', "443/https"),
        ('service-account a { linux-user x x } policy p "d" { from g allow r "d" { to a.b.com ports 443 } }', "x"),
        (
            'service-account a { linux-user x } policy p "d" { from g as a a allow r "d" { to a.b.com ports 443 } }',
            "a",
        ),
        (
            'template policy t "d" { allow r "d" { to a.b.com ports 443 } } policy p "d" { from g include t include t }',
            "t",
        ),
    ],
)
def test_what_stands_twice_in_a_list_is_a_warning_at_the_second(tmp_path, text, again):
    policy, (found,) = resolve_texts(tmp_path, text)
    assert (found.code, found.span.text) == ("W0243", again)
    assert found.related[0].span.start < found.span.start
    assert policy is not None


def test_same_list_in_two_rules_warns_twice(tmp_path):
    rule = 'allow r{} "d" {{ to a.b.com A.b.com ports 443 443 as a a }}'
    text = f'service-account a {{ linux-user x }} policy p "d" {{ from g {rule.format(1)} {rule.format(2)} }}'
    assert codes_of(tmp_path, text) == ["W0243"] * 6


def test_names_that_the_user_slipped_on_are_suggested_with_their_place(tmp_path):
    text = CONNECTORS.replace("digicert-revocation microsoft-revocation", "digicert-revocation microsoft-revokation")
    _, (found,) = resolve_texts(tmp_path, text, certificates=CERTIFICATES)
    assert found.code == "E0207"
    assert found.message == "no endpoint set is called `microsoft-revokation`"
    assert found.label == "not defined here, nor in the one imported file"
    assert found.span.text == "microsoft-revokation"
    assert found.help.startswith("did you mean `microsoft-revocation`? (")
    assert found.help.endswith("certificates.egress:3)")


def test_file_of_templates_alone_warns_that_nothing_takes_effect(tmp_path):
    policy, (found,) = resolve_texts(tmp_path, 'template policy t "d" { allow r "d" { to a.example.com ports 443 } }')
    assert found.code == "W0247"
    assert policy.rules == ()


def test_empty_description_is_a_warning(tmp_path):
    text = 'policy p "" { from g allow r " " { to a.example.com ports 443 } }'
    assert codes_of(tmp_path, text) == ["W0246", "W0246"]


def test_errors_of_the_parser_keep_the_policy_from_being_made(tmp_path):
    policy, problems = resolve_texts(tmp_path, CONNECTORS + "}", certificates=CERTIFICATES)
    assert policy is None
    assert [d.code for d in problems] == ["E0105"]


def test_name_that_may_have_been_lost_to_a_syntax_error_is_not_called_unknown(tmp_path):
    text = """
    endpionts { a.example.com }
    policy p "d" { from g allow r "d" { to lost ports 443 } }
    """
    _, problems = resolve_texts(tmp_path, text)
    assert {d.code[:3] for d in problems} == {"E01"}


def test_name_of_a_set_with_a_syntax_error_in_it_is_known(tmp_path):
    text = """
    endpoints x { a.example.com "string" }
    policy p "d" { from g allow r "d" { to x except x ports 443 } allow s "d" { to nowhere ports 443 } }
    """
    assert codes_of(tmp_path, text) == ["E0110", "E0207"]


def test_rules_that_name_the_same_sets_share_their_destinations(tmp_path):
    text = """
    parameter region
    endpoints x { a.example.com ${region}.example.com } endpoints y { b.example.com }
    policy p "d" {
        from g
        allow a "d" { to x y ports 443 }
        allow b "d" { to x y ports 80 }
        allow c "d" { to x ports 443 }
        deny d "d" { to x ports 80 }
    }
    """
    a, b, c, d = policy_of(tmp_path, text).rules
    assert a.to is b.to
    assert c.to is d.to
    assert c.to.has_parameters


PIECES = {
    "items": [
        'endpoints x "d" { a.example.com *.b.example.com fallback { 10.0.0.0/8 service-tag Sql } y }',
        'endpoints y "d" { 192.0.2.1 ${region}.example.com fallback { 10.1.0.0/16 } }',
        "parameter region",
        'service-account a "d" { linux-user one two windows-service "S" }',
        "service-account b { directory-user u }",
        'template policy t "d" { allow inner "d" { to y ports 443 } include u }',
        'template policy u "d" { from other deny innermost "d" { to z.example.com ports 80 } }',
    ],
    "policy": ['owner "o"', "from g h", "as a b", "log", "no-tls-inspection", "feature f", "include t"],
    "rules": [
        ["to x y c.example.com except 192.0.2.1 www.b.example.com", "ports 443 80 22/tcp", "log off"],
        ["to any-address service-tag Sql", "ports any/tcp any/udp", "from i", "as b"],
        ["to *.a.com a.b.com/p 10.0.0.0-10.0.0.9", "ports 80", 'ticket "T"', "expires 2027-01-01"],
    ],
}


def shuffled_text(rng):
    """The same policy in another order: items, settings, rules, and the words of every list."""

    def mixed(parts):
        parts = list(parts)
        rng.shuffle(parts)
        return parts

    def words(setting):
        keyword, *values = setting.split()
        if keyword not in {"to", "from", "as", "ports"} or "service-tag" in values:
            return setting
        if "except" in values:
            at = values.index("except")
            return " ".join([keyword, *mixed(values[:at]), "except", *mixed(values[at + 1 :])])
        return " ".join([keyword, *mixed(values)])

    rules = [
        f'allow r{i} "d" {{ {" ".join(words(s) for s in mixed(settings))} }}'
        for i, settings in enumerate(PIECES["rules"])
    ]
    policy = f'policy p "d" {{ {" ".join(mixed([*map(words, PIECES["policy"]), *rules]))} }}'
    return "\n".join(mixed([*PIECES["items"], policy]))


def test_order_changes_nothing(tmp_path):
    rng = random.Random(7)
    seen = set()
    for _ in range(40):
        policy = policy_of(tmp_path, shuffled_text(rng))
        seen.add(
            repr([plain(rule) for rule in policy.rules])
            + repr([(a.name, a.bindings) for a in policy.accounts])
            + repr([(p.name, p.labels) for p in policy.parameters])
        )
    assert len(seen) == 1
    assert len(policy.rules) == 5


def test_groups_are_known_where_nothing_else_resolves(tmp_path):
    (tmp_path / "main.egress").write_text(
        'template policy t "d" { from theirs allow r "d" { to nowhere ports 443 } }\n'
        'policy p "d" { from g Bad any-group allow r "d" { from h to nowhere ports 443 } }',
        "utf-8",
    )
    project = load_project([str(tmp_path)])
    assert resolve(project)[0] is None
    assert [(group.name, group.span.text) for group in named_groups(project)] == [("g", "g"), ("h", "h")]
