"""What an artefact of ours must say about itself besides its rules, because ``apply.sh`` goes by it."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Final

from egressc.meaning import UnreadableError
from egressc.targets.iptables.live import ControlGroup, InSet, User
from egressc.targets.iptables.model import Mode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from egressc.site import Site
    from egressc.targets.iptables.live import LiveRule, LiveSet, LiveTable
    from egressc.targets.iptables.model import Family
    from egressc.targets.iptables.settings import Settings

_FACT: Final = re.compile(r"^#: (\S+) (.*)$", re.MULTILINE)
_HOOKS: Final = {Mode.HOST: ("OUTPUT", "OUTPUT"), Mode.GATEWAY: ("FORWARD", "PREROUTING")}
_INET: Final = {4: "inet", 6: "inet6"}


def is_artefact(text: str) -> bool:
    """True if the rules are in a file of ours."""
    return _FACT.search(text) is not None


def is_script(content: bytes) -> bool:
    """True if the file begins as a shell script does."""
    return content.startswith(b"#!")


def check_script(content: bytes, file: str) -> None:
    """Raise ``UnreadableError`` unless the script is the one that is shipped, byte for byte."""
    shipped = _script()
    if content == shipped:
        return
    there, here = content.split(b"\n"), shipped.split(b"\n")
    line = next(
        (at for at, (a, b) in enumerate(zip(there, here, strict=False), 1) if a != b), min(len(there), len(here))
    )
    raise UnreadableError("this script is not the `apply.sh` that egressc ships", file, line)


def check_facts(
    text: str,
    file: str,
    family: Family,
    every: Mapping[Family, Mapping[str, LiveTable]],
    sets: Mapping[str, LiveSet],
    site: Site[Settings],
) -> None:
    """Raise ``UnreadableError`` unless the lines that begin with `#:` say what the rules of both families need."""
    said: dict[str, list[str]] = {}
    for name, value in _FACT.findall(text):
        said.setdefault(name, []).append(value)
    chain, hooks = site.settings.chain, _HOOKS[site.settings.mode]
    tables = every[family]
    conditions = {
        condition
        for some in every.values()
        for table in some.values()
        for each in table.chains.values()
        for rule in each.rules
        for condition in rule.conditions
    }
    wanted = {
        "format": ["1"],
        "chain": [chain],
        "hook": [f"filter {hooks[0]}", *([f"nat {hooks[1]}"] if "nat" in tables else [])],
        "user": sorted({c.text for c in conditions if isinstance(c, User) and not c.text.isdigit()}),
        "cgroup": sorted({c.path for c in conditions if isinstance(c, ControlGroup)}),
    }
    for name, values in wanted.items():
        # A user that no rule asks for is asked after in vain, which the flows show; one left out is not seen to.
        lacking = set(values) - set(said.get(name, []))
        if lacking if name in {"user", "cgroup"} else sorted(said.get(name, [])) != sorted(values):
            there, here = ", ".join(said.get(name, [])) or "nothing", ", ".join(values) or "nothing"
            raise UnreadableError(f"its line `#: {name}` says {there}, and its rules need {here}", file)
    foreign = dict(value.rpartition(" ")[::2] for value in said.get("foreign", []))
    for condition in conditions:
        if isinstance(condition, InSet) and condition.name not in sets and condition.name not in foreign:
            raise UnreadableError(f"its rules ask for the set `{condition.name}`, which nothing makes", file)
    for table in tables.values():
        if table.chains.keys() != {chain}:
            raise UnreadableError(f"the table `{table.name}` holds other chains than `{chain}`", file)


def check_sets(
    tables: Mapping[Family, Mapping[str, LiveTable]], sets: Mapping[str, LiveSet], fed: Iterable[str]
) -> None:
    """Raise ``UnreadableError`` for what the kernel would refuse, or the resolver could not fill."""
    for family, some in tables.items():
        for table in some.values():
            for rule, name in _asked(table):
                known = sets.get(name)
                if known is not None and known.family not in {None, family}:
                    raise UnreadableError(
                        f"the set `{name}` is not of the family {_INET[family]}", table.file, rule.line
                    )
    for name in fed:
        if name not in sets:
            raise UnreadableError(f"the resolver fills the set `{name}`, which nothing makes")


def _asked(table: LiveTable) -> Iterator[tuple[LiveRule, str]]:
    for chain in table.chains.values():
        for rule in chain.rules:
            for condition in rule.conditions:
                if isinstance(condition, InSet):
                    yield rule, condition.name


@cache
def _script() -> bytes:
    return resources.files("egressc.targets.iptables").joinpath("apply.sh").read_bytes()
