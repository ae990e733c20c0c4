"""Lint costs about as much for each rule of a large policy as of a small one."""

from __future__ import annotations

import pytest
from growth import assert_near_linear
from lint_support import subject

from egressc.lint.driver import lint

MEANING = ("idle-deny", "overlapping-deny", "redundant-endpoint", "redundant-rule", "shadowed-rule", "wide-exemption")


def as_people_write_them(rules):
    """Hosts of their own for most rules, the same wildcards again and again, a few networks and denies."""
    made = []
    for n in range(rules):
        to, more = f"a{n}.x{n % 40}.example.com b{n}.example.net", ""
        if n % 10 == 0:
            to, more = f"*.t{n % 70}.x{n % 40}.example.com a.t{n % 70}.x{n % 40}.example.com", "no-tls-inspection"
        elif n % 10 == 1:
            to = f"10.{n // 250 % 250}.{n % 250}.0/24"
        elif n % 10 == 2:
            to, more = "login.example.org *.cdn.example.org", f"as s{n % 50}"
        action = "deny" if n % 25 == 3 else "allow"
        made.append(f'    {action} r{n} "R" {{ to {to} ports {1000 + n % 7}/https {more} from g{n % 60} }}\n')
    accounts = "".join(f"service-account s{n} {{ linux-user {n + 1} }}\n" for n in range(50))
    return accounts + 'policy p "P" {\n    owner "o@example.com"\n' + "".join(made) + "}\n"


def one_template_for_many_groups(rules):
    """The same rules for each of many groups, which a policy of its own includes them for."""
    template = "".join(
        f'    {action} {name} "R" {{ to {to} ports {ports} {more} }}\n'
        for action, name, to, ports, more in (
            ("allow", "a", "login.example.com *.example.net x.example.net", "443/https", ""),
            ("allow", "b", "*.example.com", "443/https", "no-tls-inspection"),
            ("allow", "c", "10.0.0.0/8", "any/tcp", ""),
            ("deny", "d", "*.x.example.com *.example.org", "any/tcp", ""),
        )
    )
    groups = rules // 4
    return f'template policy t "T" {{\n{template}}}\n' + "".join(
        f'policy p{n} "P" {{ owner "o@example.com" from g{n} include t }}\n' for n in range(groups)
    )


@pytest.mark.parametrize("text", [as_people_write_them, one_template_for_many_groups])
def test_lint_is_near_linear(text):
    def prepare(rules):
        what = subject(text(rules))
        what.index, what.bound, what.written, what.allowances  # noqa: B018 - made before the clock runs

        def run():
            lint(what, MEANING)

        return run

    run = prepare(400)
    run()
    assert_near_linear(prepare, 400, 4000)
