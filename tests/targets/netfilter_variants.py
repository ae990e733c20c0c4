"""What the files of a Linux firewall may mean where something in them is not known: each way as files of their own.

They are the artefact's own, or an export of a machine (see ``saved``), which is brought into the form that the evaluator
takes. What it cannot know is spelled out in every way: an unknown condition holds or does not, who has an unknown target
is let through, stopped or nothing of that.
"""

from __future__ import annotations

import re

NAMES = {
    "iptables.save": "rules.v4", "ip6tables.save": "rules.v6", "ipset.save": "sets.ipset", "egressc.conf": "dnsmasq.conf",
}  # fmt: skip
RULES = ("rules.v4", "rules.v6")

_LEARNED = re.compile(r"^add \S+ \S+ timeout [1-9].*\n", re.MULTILINE)
"""What the resolver has fed so far: the evaluator feeds by itself."""

_FOREIGN = r" -m geoip --destination-country \S+"


def is_export(files):
    """True if they are of a machine."""
    return "iptables.save" in files


def users_of(files):
    """The users that an export names, by their numbers."""
    held = re.findall(r"^([^:]+):x:(\d+):", files.get("passwd", b"").decode(), re.MULTILINE)
    return {number: name for name, number in held}


def readings(build, files):
    """Every way to read some files."""
    if is_export(files):
        texts = {NAMES[name]: content.decode() for name, content in files.items() if name in NAMES}
        texts["sets.ipset"] = _LEARNED.sub("", texts["sets.ipset"])
        names = users_of(files)
        # The evaluator knows a host from a gateway by its built-in chains.
        other = r"^:(FORWARD|PREROUTING|INPUT|POSTROUTING) .*\n"
        if build.site.settings.mode != "host":
            other = r"^:(OUTPUT|INPUT|POSTROUTING) .*\n"
        for name in RULES:
            head, mangle, rest = texts[name].partition("*mangle\n")
            kept = re.sub(other, "", head + rest.partition("COMMIT\n")[2] if mangle else head, flags=re.MULTILINE)
            named = re.sub(r"--uid-owner (\d+)", lambda found: f"--uid-owner {names.get(found[1], found[1])}", kept)
            # Whom no rule of our chain has, has the policy of the built-in one (whom it returns, somebody else).
            above, table, below = named.partition("*filter\n")
            texts[name] = above + table + below.replace("COMMIT\n", "-A EGRESSC -j ACCEPT\nCOMMIT\n")
            if mangle:
                texts["mangle"] = rest.partition("COMMIT\n")[0]
    else:
        texts = {name: content.decode() for name, content in files.items() if name != "apply.sh"}
    yield from _variants(build, texts)


def _variants(build, texts):
    hook = "OUTPUT" if build.site.settings.mode == "host" else "FORWARD"
    rules = texts["rules.v4"] + texts["rules.v6"]
    mangle = texts.pop("mangle", "")
    settings = build.site.settings
    ways = [texts]
    if re.search(_FOREIGN, rules):
        ways = [_with(texts, rf"^.*{_FOREIGN}.*\n", ""), _with(texts, _FOREIGN, "")]
    if "NFQUEUE" in rules:
        ways = [_with(texts, r"-j NFQUEUE .*", verdict) for verdict in ("-j ACCEPT", "-j DROP")]
        ways.append(_with(texts, r"^.* -j NFQUEUE .*\n", ""))
    if "DNAT" in rules:
        # Where it goes then is another server: somebody lets it through there, or nobody.
        (to,) = re.findall(r"^-A PREROUTING (.*) -j DNAT .*", rules, re.MULTILINE)
        left = _with(texts, r"^-A PREROUTING .* -j DNAT .*\n", "")
        ways = [left, *(_first(left, f"-A {hook} {to} -j {verdict}", ("rules.v4",)) for verdict in ("ACCEPT", "DROP"))]
    for dropped in re.findall(r"^-A POSTROUTING (.*) -j DROP", mangle, re.MULTILINE):
        ways.append(_first(texts, f"-A {hook} {dropped} -j DROP", ("rules.v4",)))
    for uid in sorted(set(re.findall(r"--uid-owner (\d+)", rules))):
        # Nobody says whose number it is.
        ways = [
            _with(way, rf"--uid-owner {uid} ", f'--uid-owner "{name}" ')
            for way in ways
            for name in ("nobody", "agent", settings.dnsmasq_user)
        ]
    age = re.search(r"^max-cache-ttl=(\d+)", texts["dnsmasq.conf"], re.MULTILINE)
    if age is None or int(age[1]) > 86400:
        # An address leaves the set while the answer is in the cache.
        ways.append({**texts, "dnsmasq.conf": re.sub(r"^ipset=.*\n", "", texts["dnsmasq.conf"], flags=re.MULTILINE)})
    lines = re.findall(r"^ipset=/.*/", texts["dnsmasq.conf"], re.MULTILINE)
    for line in {each for each in lines if lines.count(each) > 1}:
        # Of two lines for a domain one works.
        said = re.findall(rf"^{re.escape(line)}.*\n", texts["dnsmasq.conf"], re.MULTILINE)
        ways = [{**texts, "dnsmasq.conf": texts["dnsmasq.conf"].replace(each, "", 1)} for each in said]
    if hook == "OUTPUT":
        # Without answers, and without what the machine says to itself, nothing works.
        for name in RULES:
            if "-o lo " not in texts[name] or "ESTABLISHED" not in texts[name]:
                ways.append(_first(texts, "-A EGRESSC -j DROP", (name,)))
    return ways


def _with(texts, pattern, by):
    return {
        name: re.sub(pattern, by, text, flags=re.MULTILINE) if name in RULES else text for name, text in texts.items()
    }


def _first(texts, line, names):
    """A rule before all others of its chain in the table `filter`."""
    chain = line.split()[1]
    changed = {}
    for name in names:
        head, table, rest = texts[name].partition("*filter\n")
        ours = re.sub(rf"^-A {chain} ", f"{line}\n-A {chain} ", rest, count=1, flags=re.MULTILINE)
        assert ours != rest, "no such chain"
        changed[name] = head + table + ours
    return texts | changed
