"""Ways to break the lowering or the renderer of Windows Firewall: each function patches one of them in memory.

For the policy of `windows_scenario`. The second line of each docstring says what the proof must find: allows more, allows
less, undecided or unknown, and for which rule; or that the files are not readable, and then there is no flow.
"""

from __future__ import annotations

from dataclasses import replace

from egressc.addresses import ALL, parse_addresses
from egressc.anything import ANY
from egressc.lowering import Lowering
from egressc.targets.windows_firewall import build, lower, principals, records, render
from egressc.targets.windows_firewall.keywords import keyword
from egressc.targets.windows_firewall.model import Action, Protocol, RemoteAddresses, RemoteKeywords, Sid


def _rules(monkeypatch, change):
    """Every rule that is lowered goes through `change`, which gives the rules that are written in its place."""
    whole = lower.lower

    def lowered(site):
        lowering = whole(site)
        assert isinstance(lowering, Lowering)
        rules = tuple(new for rule in lowering.model.rules for new in change(rule))
        assert rules != lowering.model.rules, "nothing was broken"
        return replace(lowering, model=replace(lowering.model, rules=rules))

    monkeypatch.setattr(lower, "lower", lowered)


def _records(monkeypatch, change):
    """Every rule that is rendered goes through `change`, which edits its record."""
    whole = records.rule_record

    def recorded(rule):
        record = whole(rule)
        change(record)
        return record

    monkeypatch.setattr(render, "rule_record", recorded)


def break_block_turned_allow(monkeypatch):
    """The renderer writes `Allow` for every block.

    Allows more: `p/quarantine`.
    """
    _records(monkeypatch, lambda record: record.update(Action="Allow"))


def break_allow_turned_block(monkeypatch):
    """The renderer writes `Block` for rules over UDP.

    Allows less: `p/time`.
    """
    _records(monkeypatch, lambda record: record.update(Action="Block") if record["Protocol"] == "UDP" else None)


def break_local_user_lost(monkeypatch):
    """The renderer forgets the authorisation list.

    Allows more: other accounts, on `p/installer` and `p/names`.
    """
    _records(monkeypatch, lambda record: record.pop("LocalUser", None))


def break_local_accounts_lost(monkeypatch):
    """The renderer forgets the accounts that the host resolves.

    Allows more: other accounts, on `p/agent`.
    """
    _records(monkeypatch, lambda record: record.pop("LocalAccounts", None))


def break_service_lost(monkeypatch):
    """The renderer forgets the service.

    Allows more: other services of the account, on `p/names`.
    """
    _records(monkeypatch, lambda record: record.pop("Service", None))


def break_program_lost(monkeypatch):
    """The renderer forgets the program.

    Allows more: other programs of the account, on `p/agent`.
    """
    _records(monkeypatch, lambda record: record.pop("Program", None))


def break_last_port_lost(monkeypatch):
    """The renderer leaves out the last of several ports.

    Allows less: `p/names` on 443, `p/installer` on 8000-8010.
    """
    _records(monkeypatch, lambda record: record.get("RemotePort", [])[1:] and record["RemotePort"].pop())


def break_port_list_is_any(monkeypatch):
    """The renderer writes any port for several.

    Allows more: other ports, on `p/names` and `p/installer`.
    """
    _records(
        monkeypatch, lambda record: record.update(RemotePort=["Any"]) if record.get("RemotePort", [])[1:] else None
    )


def break_range_is_its_ends(monkeypatch):
    """The renderer writes the first and last port of a range, and none between.

    Allows less: `p/installer` on 8001-8009.
    """

    def change(record):
        record["RemotePort"] = [end for text in record.get("RemotePort", ()) for end in text.split("-")]
        if not record["RemotePort"]:
            del record["RemotePort"]

    _records(monkeypatch, change)


def break_protocols_swapped(monkeypatch):
    """The renderer writes UDP for TCP.

    Allows more: UDP; allows less: every rule over TCP.
    """
    _records(monkeypatch, lambda record: record.update(Protocol="UDP") if record["Protocol"] == "TCP" else None)


def break_addresses_dropped(monkeypatch):
    """The renderer writes only the first address of a list.

    Allows less: `p/time`.
    """
    _records(
        monkeypatch,
        lambda record: record.update(RemoteAddress=record["RemoteAddress"][:1]) if "RemoteAddress" in record else None,
    )


def break_addresses_are_any(monkeypatch):
    """The renderer writes any address for every list of a rule with an account.

    Allows more: other addresses, on `p/installer`; allows less: `p/agent`, which the exception then blocks.
    """
    _records(
        monkeypatch,
        lambda record: record.update(RemoteAddress=["Any"])
        if "RemoteAddress" in record and record.keys() & {"LocalUser", "LocalAccounts"}
        else None,
    )  # fmt: skip


def break_ipv6_lost(monkeypatch):
    """The renderer leaves out IPv6 addresses.

    Allows less: `p/time`, and the internal networks.
    """
    _records(
        monkeypatch,
        lambda record: (
            record.update(RemoteAddress=[text for text in record["RemoteAddress"] if ":" not in text])
            if "RemoteAddress" in record
            else None
        ),
    )


def break_second_keyword_lost(monkeypatch):
    """The renderer writes only the first keyword of a list.

    Allows less: `p/names`.
    """
    key = "RemoteDynamicKeywordAddresses"
    _records(monkeypatch, lambda record: record.update({key: record[key][:1]}) if key in record else None)


def break_keyword_without_its_dot(monkeypatch):
    """The lowering makes `*cloud.example` of `*.cloud.example`.

    Unknown: nothing documents what that matches (`p/names`, `p/agent`).
    """
    monkeypatch.setattr(build, "keyword_of", lambda pattern: keyword(pattern.text.replace("*.", "*")))


def break_keyword_is_its_apex(monkeypatch):
    """The lowering makes `cloud.example` of `*.cloud.example`.

    Allows more: `cloud.example`; allows less: every name below it (`p/names`, `p/agent`).
    """
    monkeypatch.setattr(build, "keyword_of", lambda pattern: keyword(pattern.text.removeprefix("*.")))


def break_keyword_is_a_level_up(monkeypatch):
    """The lowering makes `*.contoso.example` of `login.contoso.example`.

    Allows more: other names below contoso.example (`p/names`).
    """

    def wider(pattern):
        text = pattern.text
        return keyword(text if pattern.deep else f"*.{text.partition('.')[2]}")

    monkeypatch.setattr(build, "keyword_of", wider)


def break_one_id_for_all_keywords(monkeypatch):
    """The lowering gives every keyword the same id.

    Not readable: one id stands for several names.
    """
    monkeypatch.setattr(build, "keyword_of", lambda pattern: replace(keyword(pattern.text), id=keyword("x").id))


def break_keywords_not_created(monkeypatch):
    """The renderer leaves out the first keyword of the artefact.

    Unknown: the rule that refers to it (`p/agent`).
    """
    whole = render.render
    monkeypatch.setattr(render, "render", lambda policy: whole(replace(policy, keywords=policy.keywords[1:])))


def break_exception_allows(monkeypatch):
    """The lowering writes the block rule for an exception as one that allows.

    Allows more: the exception of `p/agent`.
    """
    whole = build.Builder.add

    def add(self, rule, nature, action, *rest):
        return whole(self, rule, nature, Action.ALLOW if nature == "excepted addresses" else action, *rest)

    monkeypatch.setattr(build.Builder, "add", add)


def break_exception_lost(monkeypatch):
    """The lowering keeps an exception in what it announces and writes no rule for it.

    Allows more: the exception of `p/agent`.
    """
    _rules(monkeypatch, lambda rule: () if "(excepted addresses)" in rule.display_name else (rule,))


def break_exception_over_an_allow(monkeypatch):
    """The lowering puts the block rule for an exception over addresses that another rule allows.

    Allows less: `p/installer`.
    """
    over = RemoteAddresses(("203.0.113.0/25",))

    def change(rule):
        if "(excepted addresses)" not in rule.display_name:
            return (rule,)
        return (replace(rule, users=ANY, program=ANY, ports=ANY, remote=over),)

    _rules(monkeypatch, change)


def break_internal_rule_too_wide(monkeypatch):
    """The lowering opens every address of IPv4 in place of the internal networks.

    Allows more: everything.
    """
    whole = build.Builder.add_internal
    monkeypatch.setattr(build.Builder, "add_internal", lambda self, _: whole(self, ALL.family(4)))


def break_internal_rule_missing(monkeypatch):
    """The lowering leaves the internal networks to the default deny.

    Allows less: the internal networks.
    """
    monkeypatch.setattr(build.Builder, "add_internal", lambda *_: None)


def break_internal_rule_for_one_account(monkeypatch):
    """The lowering opens the internal networks to LocalSystem only.

    Allows less: the internal networks, for anybody else.
    """
    _rules(
        monkeypatch,
        lambda rule: (replace(rule, users=(Sid("S-1-5-18"),)) if rule.protocol is Protocol.ANY else rule,),
    )


def break_second_chunk_lost(monkeypatch):
    """The lowering splits addresses into shares of two and writes only the first.

    Allows less: `p/time`.
    """
    whole = build.address_chunks

    def chunks(addresses):
        found = whole(addresses)
        return found[:1]

    monkeypatch.setattr(build, "MAX_ADDRESSES", 2)
    monkeypatch.setattr(lower, "address_chunks", chunks)


def break_second_condition_lost(monkeypatch):
    """The lowering writes rules for the first service of an account only.

    Allows less: `p/names`, for the second service.
    """
    whole = lower._Run.conditions
    monkeypatch.setattr(lower._Run, "conditions", lambda self, rule: whole(self, rule)[:1])


def break_rule_skipped(monkeypatch):
    """The lowering announces a rule and does not write it.

    Allows less: `p/installer`.
    """
    _rules(monkeypatch, lambda rule: () if "p/installer" in rule.display_name else (rule,))


def break_rule_of_nobody(monkeypatch):
    """The lowering writes one rule more than it announces.

    Allows more: 198.51.100.7.
    """
    remote = RemoteAddresses(("198.51.100.7",))

    def change(rule):
        if "p/time UDP" not in rule.display_name:
            return (rule,)
        return (rule, replace(rule, name="egressc-x-x", remote=remote))

    _rules(monkeypatch, change)


def break_deny_narrowed(monkeypatch):
    """The lowering stops half of the network of a deny.

    Allows more: `p/quarantine`.
    """

    def change(rule):
        half = RemoteAddresses(("10.66.0.0/17",))
        return (
            replace(rule, remote=half) if rule.action is Action.BLOCK and "quarantine" in rule.display_name else rule,
        )

    _rules(monkeypatch, change)


def break_accounts_are_everyone(monkeypatch):
    """The renderer lets everyone match in each authorisation list.

    Allows more: other accounts, on `p/installer` and `p/names`.
    """
    monkeypatch.setattr(records, "sddl", lambda _: "D:(A;;CC;;;S-1-1-0)")


def break_access_denied(monkeypatch):
    """The renderer writes entries that deny in each authorisation list.

    Allows less: `p/installer`, `p/names`.
    """
    monkeypatch.setattr(records, "sddl", lambda sids: "D:" + "".join(f"(D;;CC;;;{sid})" for sid in sids))


def break_service_identifier_wrong(monkeypatch):
    """The lowering computes the identifier of a service's account from the name as it is written.

    Allows more: that identifier; allows less: `p/installer`.
    """
    whole = principals.service_sid
    monkeypatch.setattr(principals, "service_sid", lambda name: whole(f"{name} "))


def break_wrong_keyword_list(monkeypatch):
    """The lowering puts the keywords of another rule into the one of `p/agent`.

    Allows more: `login.contoso.example`, for the agent; allows less: `p/agent`.
    """
    other = RemoteKeywords((keyword("login.contoso.example").id,))
    _rules(
        monkeypatch,
        lambda rule: (
            replace(rule, remote=other) if "agent" in rule.display_name and rule.action is Action.ALLOW else rule,
        ),
    )


def break_address_too_many(monkeypatch):
    """The lowering writes two addresses more than a rule has, if it has any of IPv6.

    Allows more: 192.0.2.2 and 192.0.2.3 (`p/time`).
    """
    whole, more = build.address_chunks, parse_addresses("192.0.2.2-192.0.2.3")
    monkeypatch.setattr(lower, "address_chunks", lambda held: whole(held.union(more) if held.v6 else held))


def break_no_closing_deny(monkeypatch):
    """The renderer says that there is no closing deny, so that `-EnforceDefaultDeny` is refused.

    Allows more: everything that no rule allows.
    """
    whole = records.site_record
    monkeypatch.setattr(render, "site_record", lambda policy: {**whole(policy), "ClosingDeny": False})


def break_profile_narrowed(monkeypatch):
    """The renderer writes one profile in place of all.

    Unknown: every rule, since it depends on the network.
    """
    whole = records.site_record
    monkeypatch.setattr(render, "site_record", lambda policy: {**whole(policy), "Profile": "Domain"})


def break_other_group(monkeypatch):
    """The renderer writes another rule group, so that the script leaves the old rules in force.

    Not readable: it is another firewall's.
    """
    whole = records.site_record
    monkeypatch.setattr(render, "site_record", lambda policy: {**whole(policy), "Group": "other"})


def break_quotes_not_doubled(monkeypatch):
    """The renderer leaves the quote in `Contoso's Agent` as it is, so that the literal ends there.

    Not readable: the data is no data.
    """
    monkeypatch.setattr(render, "quote", lambda text: f"'{text}'")


def break_code_changed(monkeypatch):
    """The renderer ships another code.

    Not readable: the code is not what is shipped.
    """
    whole = render.fixed_body
    monkeypatch.setattr(render, "fixed_body", lambda: whole().replace("'Outbound'", "'Inbound'", 1))


def break_forms_differ(monkeypatch):
    """The renderer writes another text into `rules.json` than into `firewall.ps1`.

    Not readable: the two forms say different things.
    """
    whole = render._dump
    monkeypatch.setattr(render, "_dump", lambda record: whole(record).replace('"443"', '"444"'))


WITHOUT_FLOW = frozenset(
    {
        "break_one_id_for_all_keywords", "break_other_group", "break_quotes_not_doubled", "break_code_changed",
        "break_forms_differ",
    }
)  # fmt: skip
"""Those after which the files cannot be read back: the proof names a place, and no flow."""
