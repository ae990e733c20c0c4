"""``no_proxy``: the hosts that programs on Unix reach without the proxy of their environment.

One value for all programs, which read it differently (``no_proxy_clients``): what is written is the union of what each
of them needs, and each is read back by its own rules. There is no spelling of one host that leaves out the names below
it, but for Node.js and .NET; a leading dot leaves out the domain in wget, Go, httpx and Node.js alone.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from egressc.exports import ANY_PORT, ReadList, Refusal, Shape, joined
from egressc.meaning import UnreadableError
from egressc.targets.list_protocol import BYPASS_ONLY, ListFormat
from egressc.targets.lists.list_comments import rule_comments
from egressc.targets.lists.no_proxy_clients import CLIENTS, chosen, dialects, read_value
from egressc.targets.protocol import Assumption, Capabilities, Capability, Limit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from egressc.exports import Line
    from egressc.targets.list_protocol import ListModel, ListOptions
    from egressc.targets.lists.no_proxy_clients import Client

FORMS = ("shell", "environment", "systemd", "plain")
_FILES = {
    "shell": "no-proxy.sh",
    "environment": "environment",
    "systemd": "no-proxy.conf",
    "plain": "no_proxy.txt",
}
NAMES = ("no_proxy", "NO_PROXY")

LONGEST_STRING = 131072
"""One string of the environment, with the name, ``=`` and the NUL behind it (Linux, ``MAX_ARG_STRLEN``: execve(2))."""

LONGEST_PAM_LINE = 8191
"""A line that pam_env reads (Linux-PAM, modules/pam_env/pam_env.c, ``BUF_SIZE``); it gives up the file at a longer."""

_ASSIGNMENT = re.compile(r"(?:export\s+|Environment=)?[\"']?(no_proxy)=", re.IGNORECASE)


def _words(line: Line, options: ListOptions) -> list[str]:
    """A line as entries of the value."""
    if line.shape is Shape.EVERYTHING:
        return ["*"]
    port = "" if line.ports == ANY_PORT else f":{line.ports[0][0]}"
    if line.addresses is None:
        named = {Shape.EXACT: [line.domain], Shape.BELOW: [f".{line.domain}"]}
        return [each + port for each in named.get(line.shape, [line.domain, f".{line.domain}"])]
    text = line.addresses.text
    if not line.addresses.v6 or "/" in text:
        return [text + port]
    if port:
        return [f"[{text}]{port}"]
    clients = chosen(options.clients)
    bare = any(each.brackets is False for each in clients)
    closed = any(each.brackets for each in clients) and not any(each.name == "httpx" for each in clients)
    return [each for each, said in ((text, bare), (f"[{text}]", closed)) if said]


def _value(model: ListModel) -> str:
    if any(line.shape is Shape.EVERYTHING for line in model.lines):
        return "*"
    return ",".join(dict.fromkeys(word for line in model.lines for word in _words(line, model.options)))


def _render(model: ListModel) -> str:
    value = _value(model)
    form = model.options.form
    if form == "plain":
        return f"{value}\n"
    lines = [f"# egressc: {model.title}"]
    lines += [f"# for {', '.join(each.name for each in chosen(model.options.clients))}"]
    for line in model.lines:
        lines += rule_comments(line.rules, before=f"{' '.join(_words(line, model.options))}: ")
    # The value holds no character that a shell, pam_env or systemd would read as anything else, but for `%` (which no
    # host has) and `*` and `[`, which are quoted where a shell might look for files.
    if form == "systemd":
        lines.append("[Service]")
        doubled = value.replace("%", "%%")
        lines += [f'Environment="{name}={doubled}"' for name in NAMES]
    elif form == "environment":
        lines += [f"{name}={value}" for name in NAMES]
    else:
        lines += [f"export {name}='{value}'" for name in NAMES]
    return "\n".join(lines) + "\n"


def _read(text: str, options: ListOptions, dialect: str) -> ReadList:
    """The value of the variable that the program looks at, from a script, a file of assignments, or alone."""
    client = CLIENTS[dialect]
    found: dict[str, tuple[str, int]] = {}
    plain: list[tuple[str, int]] = []
    remarks: list[str] = []
    for number, raw in enumerate(text.removeprefix("\ufeff").splitlines(), start=1):
        line = raw.strip()
        if not line or line.startswith(("#", ";")) or line == "[Service]":
            continue
        if _ASSIGNMENT.match(line):
            for name, value in _assignments(line, number):
                if name in NAMES:
                    found[name] = (value, number)
        elif "=" in line or line.startswith(("[S", "[U", "export ")):
            remarks.append(f"line {number}: `{line[:60]}` sets no such variable: not read")
        else:
            plain.append((line, number))
    if not found and len(plain) == 1:
        return _with(plain[0], client, remarks)
    if not found and not plain and options.form == "plain":
        return ReadList((), tuple(remarks))
    remarks += [f"line {number}: `{line[:60]}` is not read" for line, number in plain]
    if not found:
        raise UnreadableError("there is no `no_proxy` in it, nor is it one value alone", line=0)
    own = next((name for name in client.variables if name in found), None)
    if own is None:
        remarks.append(f"{client.name} looks at `no_proxy` alone, in lower case, which is not set")
        return ReadList((), tuple(remarks))
    other = next((value for name, (value, _) in found.items() if name != own), found[own][0])
    if other != found[own][0]:
        remarks.append(f"`no_proxy` and `NO_PROXY` differ: {client.name} reads `{own}`")
    return _with(found[own], client, remarks)


def _with(value: tuple[str, int], client: Client, remarks: Sequence[str]) -> ReadList:
    read = read_value(value[0], client, value[1])
    return ReadList(read.entries, (*remarks, *read.remarks))


def _assignments(line: str, number: int) -> list[tuple[str, str]]:
    """The assignments of a line, as a shell, pam_env or systemd would take it apart."""
    unit = line.startswith("Environment=")
    line = line.removeprefix("Environment=").removeprefix("export ")
    try:
        words = shlex.split(line, comments=not unit)
    except ValueError as error:
        raise UnreadableError(f"this is no assignment: {error}", line=number) from error
    # Without quotes a value ends at a space, in a shell; pam_env reads on, and is the only one to see such a line.
    pairs = [word.partition("=") for word in words]
    result = []
    for name, _, value in pairs:
        if unit:
            if re.search(r"%(?!%)", value.replace("%%", "")):
                raise UnreadableError("systemd replaces what begins with `%` in it", line=number)
            value = value.replace("%%", "%")  # noqa: PLW2901 - the same value, as systemd hands it on
        elif "$" in value or "`" in value:
            raise UnreadableError("the value is put together by a shell when it runs", line=number)
        result.append((name, value))
    return result


def _problems(model: ListModel) -> tuple[Refusal, ...]:
    value = _value(model)
    rules = joined(line.rules for line in model.lines)
    found: list[Refusal] = []
    blind = [each.name for each in chosen(model.options.clients) if not each.star]
    if value == "*" and blind and len(model.lines) > 1:
        found.append(
            Refusal(
                f"`*` must stand alone in the list, and {' and '.join(blind)} reads nothing in it",
                "choose the programs with `--for`: these need no proxy at all, which is said by not setting one",
                rules,
            )
        )
    longest = max(len(name) + len(value) + 2 for name in NAMES)
    if longest > LONGEST_STRING:
        found.append(
            Refusal(
                f"the value has {len(value):,} characters: Linux starts no program with a string over 128 KiB",
                "make it for fewer groups or rules (`--group`, `--rules`), or use a PAC script (`export pac`)",
                rules,
            )
        )
    elif model.options.form == "environment" and longest - 1 > LONGEST_PAM_LINE:
        found.append(
            Refusal(
                f"the line would have {longest - 1:,} characters: pam_env reads no more of the file from one over "
                f"{LONGEST_PAM_LINE:,} on",
                "use `--form systemd` for services and `--form shell` for logins, or make it for fewer groups",
                rules,
            )
        )
    return tuple(found)


def _remarks(model: ListModel) -> tuple[str, ...]:
    clients = chosen(model.options.clients)
    found = []
    if any(each.name == "requests" for each in clients) and any(
        line.shape in {Shape.EXACT, Shape.DOMAIN} for line in model.lines
    ):
        found.append("requests before 2.34 compares without a dot: there `foo.test` also matches `xfoo.test`")
    if any(each.name == "dotnet" for each in clients):
        found.append("how .NET reads the list is taken from its source; nobody ran it")
    return tuple(found)


FORMAT = ListFormat(
    name="no-proxy",
    capabilities=Capabilities(
        title="no_proxy, the environment of programs",
        rows=(
            Capability("exact host", "`x`: Node.js and .NET alone leave out the names below it", "wider", ("depth",)),
            Capability("`*.x`", "`.x`: curl, requests, urllib and .NET add `x`", "wider", ("apex",)),
            Capability("`x` with `*.x`", "`x,.x`", "exact"),
            Capability("inner `*`, `*` inside a label", "every name under the parent", "wider", ("label-wildcard",)),
            Capability("URL path", "the whole host", "wider", ("path",)),
            Capability(
                "address, CIDR, range",
                "curl, Go and requests read networks of IPv4, Go those of IPv6; up to a /28 also address by address",
                "narrower",
                ("address", "family"),
            ),
            Capability("ports", "`x:8443`, only where every chosen program reads it", "wider", ("ports",)),
            Capability("`except`", "nothing", "wider", ("except",)),
        ),
        limits=(
            Limit("one string of the environment", "128 KiB", "Linux, execve(2): MAX_ARG_STRLEN"),
            Limit("a line of /etc/environment", "8,191 characters", "Linux-PAM, modules/pam_env/pam_env.c: BUF_SIZE"),
            Limit("the name of the variable", "in lower case alone for wget, hence both", "measured, wget 1.21.3"),
            Limit(
                "`*`",
                "alone in the list for curl, requests and urllib; nothing in wget and .NET",
                "measured (tests/lab/test_lab_lists_no_proxy.py); .NET: HttpEnvironmentProxy.cs",
            ),
            Limit(
                "IPv6",
                "httpx fails on every request while an address in brackets or a network stands in the list, so where "
                "it is one of the programs urllib and Node.js, which need the brackets, get none",
                "measured, httpx 0.28.1",
            ),
            Limit(
                "requests before 2.34",
                "`foo.test` also matches `xfoo.test`",
                "measured, requests 2.28.1, 2.32.5 and 2.33.1; 2.34.0 does not",
            ),
        ),
        assumptions=(
            Assumption(
                "no-proxy/dotnet",
                ".NET reads `x` as that host, `.x` as the names below x with x, and neither ports, networks nor `*`.",
                "HttpEnvironmentProxy.cs, dotnet/runtime at 02a63a53; read, not run",
            ),
        ),
    ),
    lists=BYPASS_ONLY,
    forms=FORMS,
    file_name=lambda options: _FILES[options.form],
    dialects=lambda options: dialects(options.clients),
    render=_render,
    spell=lambda line, options: " ".join(_words(line, options)),
    read=_read,
    clients=tuple(CLIENTS),
    problems=_problems,
    remarks=_remarks,
)
