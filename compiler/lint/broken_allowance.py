"""# W0801: a comment does not allow what it should (`broken-allowance`)

A comment that begins with `egressc:` is read by `egressc check`. It says `# egressc: allow RULE "why"`: the rule's
name as `egressc explain` knows it, and a reason in quotes for whoever reads the policy next. This one names no rule,
names a rule that there is not, or gives no reason. (The other thing that such a comment can say, inside a policy, is
`# egressc: not-beside POLICY "why"`, with another policy's name: see `co-located-agents`.)

The comment stands on the line before what it is about or at the end of its line: an endpoint, a setting, a rule, a
definition. Behind the opening brace of a policy or rule, or on the lines before its first setting, it is about all of
it.

## Wrong

```egress
policy dublin "Outbound access of the Dublin servers" {
    owner     "network-security@contoso.example"
    reference "https://wiki.contoso.example/egress"
    from      connectors

    # egressc: allow idle-denny
    deny shadow-storage "No connector talks to storage accounts" {
        to    *.blob.core.windows.net
        ports 443/https
    }
    allow sign-in "Sign-in" {
        to    login.windows.net
        ports 443/https
    }
}
```

## Instead

```egress
policy dublin "Outbound access of the Dublin servers" {
    owner     "network-security@contoso.example"
    reference "https://wiki.contoso.example/egress"
    from      connectors

    # egressc: allow idle-deny "a guard rail: it shall hold whatever is allowed later"
    deny shadow-storage "No connector talks to storage accounts" {
        to    *.blob.core.windows.net
        ports 443/https
    }
    allow sign-in "Sign-in" {
        to    login.windows.net
        ports 443/https
    }
}
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.lint.beside import declarations, slip_of
from egressc.lint.registry import CODES, NAMES, did_you_mean, meant_by
from egressc.lint.rule import Finding
from egressc.syntax import Policy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from egressc.lint.subject import Subject

NAME = "broken-allowance"
CODE = "W0801"

_BESIDE = '`# egressc: not-beside POLICY "why"`'
_FORM = '`# egressc: allow RULE "why"`'


def check(subject: Subject) -> Iterator[Finding]:
    """The comments to egressc that cannot be read, name no rule, no policy or give no reason."""
    names = [item.name.text for file in subject.every_file for item in file.items if isinstance(item, Policy)]
    for declaration in (each for file in subject.every_file for each in declarations(file)):
        if declaration.other == declaration.policy.name.text:
            yield Finding(
                message=f"`{declaration.other}` is kept apart from itself",
                span=declaration.place,
                label="the policy that this stands in",
                help="name the policy of the other agent",
            )
            continue
        slip = slip_of(declaration, names)
        if slip is not None:
            yield Finding(
                message=f"no policy is called `{declaration.other}`",
                span=declaration.place,
                label="keeps nothing apart",
                help=did_you_mean((slip,)),
            )
    for allowance in subject.allowances:
        if not allowance.rule:
            yield Finding(
                message="this comment cannot be read",
                span=allowance.comment,
                label="begins with `egressc:` and allows nothing",
                help=f"write {_FORM}, or begin the comment in another way"
                if "not-beside" not in allowance.comment.text.lower()
                else f"write {_BESIDE} in a policy, between its settings and rules",
            )
        elif allowance.rule not in CODES:
            near = [NAMES.get(each, each) for each in meant_by(allowance.rule)]
            yield Finding(
                message=f"no lint rule is called `{allowance.rule}`",
                span=allowance.place,
                label="allows nothing",
                help=did_you_mean(near) or "`docs/lint.md` lists the rules",
            )
        elif not allowance.why:
            yield Finding(
                message=f"`{allowance.rule}` is allowed without a reason",
                span=allowance.comment,
                label="nobody can tell why",
                help=f'write the reason behind it: `# egressc: allow {allowance.rule} "…"`',
            )
