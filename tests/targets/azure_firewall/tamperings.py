"""What somebody may do to a firewall policy: each function takes the untouched files and returns them with one change.

For the artefact of the policy of `proof_policies`, as `template.json` or as what `az` gives of the groups deployed from it.
The second line of each docstring says what must be found: the lists of a drift that are not empty, and for which rule.
"""

from __future__ import annotations

import json


def _documents(files):
    return {name: json.loads(content) for name, content in files.items()}


def _written(documents):
    return {name: (json.dumps(value, indent=2) + "\n").encode() for name, value in documents.items()}


def _nodes(value):
    """Every object in a value, those inside after those outside."""
    held = [value]
    while held:
        each = held.pop(0)
        if isinstance(each, dict):
            yield each
            held[:0] = each.values()
        elif isinstance(each, list):
            held[:0] = each


def _collections(documents):
    return [node for node in _nodes(list(documents.values())) if "ruleCollectionType" in node]


def _groups(documents):
    return [node for node in _nodes(list(documents.values())) if "ruleCollections" in node]


def _found(documents, name):
    """A rule by its name, and its collection."""
    ((rule, collection),) = [
        (rule, each) for each in _collections(documents) for rule in each["rules"] if rule["name"] == name
    ]
    return rule, collection


def _changed(files, name, **values):
    """One rule with other values."""
    documents = _documents(files)
    _found(documents, name)[0].update(values)
    return _written(documents)


def _added(files, beside, rule):
    """A rule more, first in the collection of another."""
    documents = _documents(files)
    _found(documents, beside)[1]["rules"].insert(0, rule)
    return _written(documents)


def _removed(files, name):
    """One rule less; its collection goes where it is empty, as Azure refuses that."""
    documents = _documents(files)
    rule, collection = _found(documents, name)
    collection["rules"].remove(rule)
    if not collection["rules"]:
        for group in _groups(documents):
            if collection in group["ruleCollections"]:
                group["ruleCollections"].remove(collection)
    return _written(documents)


def _application(name, *fqdns, sources=("10.20.0.0/24",), port=443):
    return {
        "ruleType": "ApplicationRule", "name": name, "description": "by hand", "sourceAddresses": list(sources),
        "protocols": [{"protocolType": "Https", "port": port}], "targetFqdns": list(fqdns), "terminateTLS": False,
    }  # fmt: skip


def _network(name, *addresses, sources=("10.20.0.0/24",), ports=("443",)):
    return {
        "ruleType": "NetworkRule", "name": name, "description": "by hand", "sourceAddresses": list(sources),
        "ipProtocols": ["TCP"], "destinationAddresses": list(addresses), "destinationPorts": list(ports),
    }  # fmt: skip


def tamper_name_allowed_by_hand(files):
    """A rule that somebody added allows another name.

    allows_more: no rule; the live rule `by-hand`.
    """
    return _added(files, "main.until_https", _application("by-hand", "files.evil.example"))


def tamper_network_allows_any(files):
    """A network rule that somebody added allows every address on 443, before all application rules.

    allows_more: no rule, by the live rule `by-hand`; inspection_differs: `opened/uploads`, which it takes away.
    """
    return _added(files, "main.ntp_addresses", _network("by-hand", "*", sources=("10.20.0.0/15",)))


def tamper_name_widened_by_one_label(files):
    """`*.portal.example.com` has become `*.example.com`.

    allows_more: the live rule `both.portal_https`.
    """
    return _changed(files, "both.portal_https", targetFqdns=["portal.example.com", "*.example.com"])


def tamper_dot_of_the_wildcard_lost(files):
    """`*.cloud.example.com` has become `*cloud.example.com`.

    allows_more: `cloud.example.com` and `evilcloud.example.com`, by the live rule `main.cloud_https`.
    """
    return _changed(files, "main.cloud_https", targetFqdns=["*cloud.example.com", "api.example.net"])


def tamper_wildcard_became_its_apex(files):
    """`*.queue.example.com` has become `queue.example.com`.

    allows_more: `queue.example.com`; allows_less: `main/queue`.
    """
    return _changed(files, "main.queue_tls", targetFqdns=["queue.example.com"])


def tamper_source_widened(files):
    """The sources of `main/by-address` take in the servers.

    allows_more: 10.21.0.x, by the live rule `main.by-address_addresses`.
    """
    return _changed(files, "main.by-address_addresses", sourceAddresses=["10.20.0.0/15"])


def tamper_source_narrowed(files):
    """The sources of `main/ntp` are half of the group.

    allows_less: `main/ntp`.
    """
    return _changed(files, "main.ntp_addresses", sourceAddresses=["10.20.0.0/25"])


def tamper_source_is_an_ip_group_that_lacks_one(files):
    """The sources of `main/ntp` are an IP group that lacks the last address.

    allows_less: `main/ntp` from 10.20.0.255.
    """
    documents = _documents(files)
    rule, _ = _found(documents, "main.ntp_addresses")
    del rule["sourceAddresses"]
    rule["sourceIpGroups"] = ["/subscriptions/0/resourceGroups/r/providers/Microsoft.Network/ipGroups/ipg"]
    ip_group = {
        "id": rule["sourceIpGroups"][0], "name": "ipg", "type": "Microsoft.Network/ipGroups",
        "ipAddresses": ["10.20.0.0-10.20.0.254"],
    }  # fmt: skip
    return {**_written(documents), "ip-groups.json": json.dumps([ip_group]).encode()}


def tamper_source_is_an_ip_group_that_nobody_gave(files):
    """The sources of `main/ntp` are an IP group whose networks are not in the files.

    unknown: `main/ntp`.
    """
    documents = _documents(files)
    rule, _ = _found(documents, "main.ntp_addresses")
    del rule["sourceAddresses"]
    rule["sourceIpGroups"] = ["/subscriptions/0/resourceGroups/r/providers/Microsoft.Network/ipGroups/ipg"]
    return _written(documents)


def tamper_port_changed(files):
    """The port of `main/status` is 8080.

    allows_more: 8080, by the live rule `main.status_http`; allows_less: `main/status`.
    """
    return _changed(files, "main.status_http", protocols=[{"protocolType": "Http", "port": 8080}])


def tamper_port_added(files):
    """The first port of `main/by-address` has become a range of two.

    allows_more: 8444, by the live rule `main.by-address_addresses`.
    """
    return _changed(files, "main.by-address_addresses", destinationPorts=["8443-8444", "8500-8510"])


def tamper_range_widened_by_one(files):
    """The ports of `main/by-address` end one later.

    allows_more: 8511, by the live rule `main.by-address_addresses`.
    """
    return _changed(files, "main.by-address_addresses", destinationPorts=["8443", "8500-8511"])


def tamper_transport_added(files):
    """`main/ntp` is for TCP, too.

    allows_more: 123 over TCP, by the live rule `main.ntp_addresses`.
    """
    return _changed(files, "main.ntp_addresses", ipProtocols=["Any"])


def tamper_prefix_widened(files):
    """The first network of `main/by-address` is a /24.

    allows_more: 203.0.113.128 and behind, by the live rule `main.by-address_addresses`.
    """
    return _changed(files, "main.by-address_addresses", destinationAddresses=["203.0.113.0/24"])


def tamper_rule_removed(files):
    """The rule of `main/until` is gone.

    allows_less: `main/until`.
    """
    return _removed(files, "main.until_https")


def tamper_deny_removed(files):
    """The rule of the deny `main/partner-hole` is gone.

    allows_more: `main/partner-hole`, by the live rule `main.by-address_addresses`.
    """
    return _removed(files, "main.partner-hole_addresses")


def tamper_deny_turned_allow(files):
    """The collection of the deny `main/old-queue` allows.

    allows_more: `main/old-queue`.
    """
    documents = _documents(files)
    _found(documents, "main.old-queue_tls")[1]["action"]["type"] = "Allow"
    return _written(documents)


def tamper_allow_turned_deny(files):
    """The collection of `main/cloud` denies.

    allows_less: `main/cloud`.
    """
    documents = _documents(files)
    _found(documents, "main.cloud_https")[1]["action"]["type"] = "Deny"
    return _written(documents)


def tamper_priorities_of_collections_swapped(files):
    """The collection that denies the exception of `more/files` stands behind the one that allows the rest.

    allows_more: `archive.files.example.com`, by the live rule `more.files_https-except`.
    """
    documents = _documents(files)
    deny = _found(documents, "more.files_https-except-denied")[1]
    allow = _found(documents, "more.files_https-except")[1]
    deny["priority"], allow["priority"] = allow["priority"], deny["priority"]
    return _written(documents)


def tamper_group_moved_behind(files):
    """The group with all denies has a priority behind all allows.

    allows_more: `main/partner-hole` and `main/old-queue`.
    """
    documents = _documents(files)
    (group,) = [g for g in _groups(documents) if _found(documents, "main.old-queue_tls")[1] in g["ruleCollections"]]
    group["priority"] = 1998
    return _written(documents)


def tamper_rule_moved_to_another_collection(files):
    """The rule of `main/as-agent` stands in the collection that denies `main/old-queue`.

    allows_less: `main/as-agent`.
    """
    documents = _documents(files)
    rule, collection = _found(documents, "main.as-agent_https")
    collection["rules"].remove(rule)
    _found(documents, "main.old-queue_tls")[1]["rules"].append(rule)
    return _written(documents)


def tamper_deny_added_first(files):
    """A network rule that somebody added to the denies takes the time servers away.

    allows_less: `main/ntp`.
    """
    rule = {**_network("by-hand", "192.0.2.0/24", ports=["123"]), "ipProtocols": ["UDP"]}
    return _added(files, "main.partner-hole_addresses", rule)


def tamper_exemption_lost(files):
    """The rule of `main/cloud`, which must not be inspected, terminates TLS.

    inspection_differs: `main/cloud`.
    """
    return _changed(files, "main.cloud_https", terminateTLS=True)


def tamper_inspection_lost(files):
    """The rule of `opened/uploads`, which must be inspected, does not terminate TLS.

    inspection_differs: `opened/uploads`.
    """
    return _changed(files, "opened.uploads_https", terminateTLS=False)


def tamper_exemption_added_before(files):
    """A rule that somebody added before lets the uploads through without inspection.

    inspection_differs: `opened/uploads`.
    """
    return _added(files, "main.cloud_https", _application("by-hand", "upload.example.com", sources=("10.21.0.0/24",)))


def tamper_path_widened(files):
    """The URLs of `more/web` have become the host.

    allows_more: other paths of docs.example.org, by the live rule `more.web_http-url`.
    """
    documents = _documents(files)
    rule, _ = _found(documents, "more.web_http-url")
    del rule["targetUrls"]
    rule["targetFqdns"] = ["docs.example.org"]
    return _written(documents)


def tamper_half_of_a_path_lost(files):
    """Of the URLs of `more/web` only that of the path itself is left.

    unknown: `more/web`.
    """
    return _changed(files, "more.web_http-url", targetUrls=["docs.example.org/public"])


def tamper_category_added(files):
    """The rule of `main/status` names a web category, too.

    unknown: any name on port 80.
    """
    return _changed(files, "main.status_http", webCategories=["News"])


def tamper_closing_deny_removed(files):
    """The closing deny is gone, so the firewall's own infrastructure rules are asked.

    unknown: the live rule `(infrastructure rule collection)`.
    """
    return _removed(files, "closing-deny")
