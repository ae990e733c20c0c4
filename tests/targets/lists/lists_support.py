"""Lists from a policy in a text: what the tests of every format need."""

from __future__ import annotations

import tempfile

from support import AS_OF, write_project

from egressc.api import load
from egressc.api_export import ListRequest, build_list
from egressc.bind import prepare
from egressc.diagnostics import has_errors
from egressc.exports import ListKind
from egressc.targets.list_protocol import ListOptions, Proxy
from egressc.targets.list_registry import load_format

PROXY = Proxy("proxy.contoso.example", 8080)


def policy_of(*endpoints, ports="443/https", more=""):
    """A policy of one allow for group `g` to these endpoints."""
    return f'policy p "P" {{ from g allow web "W" {{ to {" ".join(endpoints)} ports {ports} {more} }} }}'


def prepared_of(policy, inventory="groups: {g: {networks: [10.20.0.0/24]}}\n", **files):
    """The policy ready to be exported; nothing may be wrong with it."""
    with tempfile.TemporaryDirectory() as folder:
        write_project(folder, policy, inventory, **files)
        loaded = load((folder,))
    assert not has_errors(loaded.diagnostics), loaded.diagnostics
    found, problems = prepare(loaded.policy, loaded.inventory, AS_OF)
    assert not has_errors(problems), problems
    return found


def options_for(name, kind="bypass", **options):
    """The options of a format, with a proxy."""
    made = load_format(name)
    options.setdefault("proxy", PROXY)
    options.setdefault("form", made.forms[0])
    return ListOptions(kind=ListKind(kind), **options)


def exported(policy, name, kind="bypass", *, inventory=None, request=(), **options):
    """The list of a policy, and the diagnostics beside it; the list is ``None`` where one is an error."""
    prepared = policy if not isinstance(policy, str) else prepared_of(policy, *([inventory] if inventory else []))
    asked = ListRequest(format=load_format(name), options=options_for(name, kind, **options), **dict(request))
    return build_list(prepared, asked)


def text_of(policy, name, kind="bypass", **options):
    """The text of a list that can be made."""
    build, report = exported(policy, name, kind, **options)
    assert build is not None, [each.message for each in report]
    return build.text


def reasons_of(policy, name, kind="bypass", **options):
    """What a list says of its rules: pairs of reason and effect, sorted."""
    build, report = exported(policy, name, kind, **options)
    assert build is not None, [each.message for each in report]
    return sorted({(a.reason.value, a.effect.value) for rule in build.rules for a in rule.approximations})
