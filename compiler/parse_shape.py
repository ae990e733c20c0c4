"""What stands where: the blocks of the language and the statements in them, as data for reading on after a mistake.

The grammar decides what is right. This table says in which part of it a statement is read, and in which words a mistake
is explained; a test compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from egressc.keywords import ACTIONS, POLICY_SETTINGS, RULE_SETTINGS
from egressc.policy import BINDING_KINDS


@dataclass(frozen=True, slots=True)
class Block:
    """A kind of block.

    ``called`` is its name with an article. ``start`` is the grammar's start symbol for its head. ``statements`` gives
    the start symbol for each keyword that begins a statement in it, ``blocks`` the blocks in it by their keyword.
    ``entries`` says that it holds endpoints. ``named`` says that a name and a description stand in its head.
    """

    called: str
    start: str
    statements: dict[str, str] = field(default_factory=dict)
    blocks: dict[str, Block] = field(default_factory=dict)
    entries: bool = False
    named: bool = True

    @property
    def keywords(self) -> tuple[str, ...]:
        """Every word that begins something in this block."""
        return (*self.statements, *self.blocks)

    @property
    def valid(self) -> str:
        """What may stand in this block, in words."""
        return ", ".join((*(("endpoints",) if self.entries else ()), *(f"`{keyword}`" for keyword in self.keywords)))


RULE: Final = Block("a rule", "rule_head", statements=dict.fromkeys(RULE_SETTINGS, "rule_setting"))
FALLBACK: Final = Block("a fallback", "fallback_head", entries=True, named=False)
ITEM_BLOCKS: Final = {
    "endpoints": Block("an endpoint set", "endpoints_head", blocks={"fallback": FALLBACK}, entries=True),
    "service-account": Block(
        "a service account",
        "service_account_head",
        statements=dict.fromkeys(BINDING_KINDS, "binding"),
    ),
    "policy": Block(
        "a policy",
        "policy_head",
        statements={**dict.fromkeys(POLICY_SETTINGS, "policy_setting"), "include": "include"},
        blocks=dict.fromkeys(ACTIONS, RULE),
    ),
}
ITEM_BLOCKS["template"] = ITEM_BLOCKS["policy"]
FILE: Final = Block(
    "a file",
    "file",
    statements={"import": "import", "parameter": "parameter"},
    blocks=ITEM_BLOCKS,
)
CONTAINERS: Final = (ITEM_BLOCKS["policy"], RULE, ITEM_BLOCKS["service-account"], ITEM_BLOCKS["endpoints"])
"""The blocks in the order in which a statement without a block is taken for one of theirs."""

PLACES: Final[dict[str, str]] = {}
"""Where each keyword stands, in words."""
for _block in CONTAINERS:
    for _keyword in _block.keywords:
        PLACES[_keyword] = f"{PLACES[_keyword]} and in {_block.called}" if _keyword in PLACES else f"in {_block.called}"
PLACES.update(dict.fromkeys(FILE.keywords, "at the top of a file"))


@dataclass(frozen=True, slots=True)
class Takes:
    """What stands behind a keyword: ``one`` is one such thing, ``example`` a right statement."""

    one: str
    example: str
    many: bool = False


TAKES: Final = {
    "import": Takes("path", 'import "FILE"'),
    "parameter": Takes("name", 'parameter NAME "…"'),
    "endpoints": Takes("name", 'endpoints NAME "…" { … }'),
    "service-account": Takes("name", 'service-account NAME "…" { … }'),
    "policy": Takes("name", 'policy NAME "…" { … }'),
    "template": Takes("`policy`", 'template policy NAME "…" { … }'),
    "allow": Takes("name", 'allow NAME "…" { … }'),
    "deny": Takes("name", 'deny NAME "…" { … }'),
    "fallback": Takes("block", "fallback { … }"),
    "include": Takes("policy", "include NAME"),
    "owner": Takes("string", 'owner "…"'),
    "reference": Takes("string", 'reference "…"'),
    "ticket": Takes("string", 'ticket "…"'),
    "review-by": Takes("date", "review-by YYYY-MM-DD"),
    "expires": Takes("date", "expires YYYY-MM-DD"),
    "feature": Takes("name", "feature NAME"),
    "from": Takes("group", "from GROUP …` or `from any-group", many=True),
    "as": Takes("service account", "as ACCOUNT …", many=True),
    "to": Takes("endpoint", "to ENDPOINT …` or `to any-address", many=True),
    "ports": Takes("port", "ports PORT/APPLICATION …", many=True),
    "log": Takes("nothing", "log` or `log off"),
    "no-tls-inspection": Takes("nothing", "no-tls-inspection"),
    "tls-inspection": Takes("nothing", "tls-inspection` or `tls-inspection may"),
    "endpoint": Takes("endpoint", "ENDPOINT"),
    "service-tag": Takes("name", "service-tag NAME"),
    **{kind: Takes("value", f'{kind} VALUE …` or `{kind} "…"', many=True) for kind in BINDING_KINDS},
}
"""What each statement takes, and an endpoint by itself; the examples stand between backticks."""
