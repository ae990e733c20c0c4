"""Azure's published service tags."""

from __future__ import annotations

import hashlib
import json

import pytest
from growth import assert_near_linear

from egressc.addresses import AddressSet, parse_addresses, union_of
from egressc.located import parse
from egressc.service_tags import ServiceTagError, load_service_tags, read_service_tags
from egressc.source import Source


def tag(name, *prefixes):
    return {
        "name": name,
        "id": name,
        "properties": {
            "changeNumber": 7,
            "region": "",
            "regionId": 0,
            "platform": "Azure",
            "systemService": name,
            "addressPrefixes": list(prefixes),
            "networkFeatures": ["API", "NSG"],
        },
    }


def published(*values, **changes):
    content = {"changeNumber": 123, "cloud": "Public", "values": list(values)}
    content.update(changes)
    return json.dumps({key: value for key, value in content.items() if value is not ...}).encode()


MONITOR = tag("AzureMonitor", "192.0.2.0/25", "192.0.2.128/25", "198.51.100.7/32", "2001:db8:1::/48")


def addresses(*texts):
    return union_of(parse_addresses(text) for text in texts)


def test_tags_are_read_whatever_the_letter_case():
    data = published(MONITOR, tag("Storage.WestEurope", "203.0.113.0/24"))
    tags = read_service_tags(data)
    assert (tags.change_number, tags.cloud) == (123, "Public")
    assert tags.digest == hashlib.sha256(data).hexdigest()
    for name in ("AzureMonitor", "azuremonitor", "AZUREMONITOR"):
        assert tags.tags[name] == addresses("192.0.2.0/24", "198.51.100.7", "2001:db8:1::/48")
        assert name in tags.tags
    assert tags.tags["storage.westeurope"].cidrs(4) == ("203.0.113.0/24",)
    assert list(tags.tags) == ["AzureMonitor", "Storage.WestEurope"]
    assert len(tags.tags) == 2
    assert tags.tags.get("AzureMonitors") is None
    assert tags.tags.spelling("azureMONITOR") == "AzureMonitor"
    assert tags.tags.spelling("other") is None
    with pytest.raises(KeyError):
        tags.tags["AzureStorage"]


def test_a_tag_without_addresses_is_empty_and_not_any():
    assert read_service_tags(published(tag("Empty"))).tags["Empty"] == AddressSet()


def test_a_byte_order_mark_is_no_mistake():
    assert read_service_tags(b"\xef\xbb\xbf" + published(MONITOR)).change_number == 123


def without(key):
    return {name: value for name, value in MONITOR.items() if name != key}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "line 1, column 1"),
        (b"{", "line 1, column 2"),
        (b'{\n  "changeNumber": 1,\n}', "line 3, column 1"),
        (b"\xff\xfe{", "UTF-8"),
        (b"[]", "JSON object"),
        (b"[" * 100_000, "JSON"),
        (b'{"changeNumber": ' + b"1" * 5000 + b"}", "JSON"),
        (published(MONITOR, changeNumber=...), "no `changeNumber`"),
        (published(MONITOR, changeNumber="12"), "`changeNumber`"),
        (published(MONITOR, changeNumber=True), "`changeNumber`"),
        (published(MONITOR, changeNumber=-1), "`changeNumber`"),
        (published(MONITOR, cloud=...), "no `cloud`"),
        (published(MONITOR, cloud=5), "`cloud`"),
        (published(values=...), "no `values`"),
        (published(values={}), "`values`"),
        (published(), "no tag"),
        (b'{"changeNumber": 1, "values": [], "cloud": "Public", "values": []}', "`values` stands twice"),
        (published("AzureMonitor"), "`values[0]`"),
        (published(MONITOR, without("name")), "`values[1]` has no `name`"),
        (published({**MONITOR, "name": ""}), "`values[0]` has no `name`"),
        (published(without("properties")), "`values[0]` has no `properties`"),
        (published({"name": "A", "properties": {}}), "no `values[0].properties.addressPrefixes`"),
        (published({"name": "A", "properties": {"addressPrefixes": "192.0.2.0/24"}}), "is not a list"),
        (published(MONITOR, tag("AZUREMONITOR", "192.0.2.0/24")), "`AZUREMONITOR` stands twice"),
        (published(tag("A", 5)), "addressPrefixes[0]` is 5"),
        (published(tag("A", "192.0.2.0/24", "192.0.2.1/24")), "addressPrefixes[1]"),
        (published(tag("A", "192.0.2.0/33")), "addressPrefixes[0]"),
        (published(tag("A", "192.0.2.0/")), "addressPrefixes[0]"),
        (published(tag("A", "192.0.2.0/+24")), "addressPrefixes[0]"),
        (published(tag("A", "192.0.2.0/٢٤")), "addressPrefixes[0]"),
        (published(tag("A", "192.0.2/24")), "addressPrefixes[0]"),
        (published(tag("A", "192.0.2.0/24\x00")), "addressPrefixes[0]"),
        (published(tag("A", "192.0.2.0\x00/24")), "addressPrefixes[0]"),
        (published(tag("A", "2001:db8::/129")), "addressPrefixes[0]"),
        (published(tag("A", "2001:db8::1/64")), "addressPrefixes[0]"),
        (published(tag("A", "")), "addressPrefixes[0]"),
        (published(tag("A", "any")), "addressPrefixes[0]"),
    ],
)
def test_a_file_of_another_form_is_refused_with_the_place(data, words):
    with pytest.raises(ServiceTagError) as caught:
        read_service_tags(data)
    assert words in str(caught.value)


def load(read_file):
    root, _ = parse(Source.of("inventory.yaml", "service-tags: tags/ServiceTags_Public.json\n"))
    report = []
    return load_service_tags(root.at(["service-tags"]), read_file, report), report


def test_the_path_is_handed_on_as_it_is_written():
    asked = []
    tags, report = load(lambda path: asked.append(path) or published(MONITOR))
    assert tags.change_number == 123
    assert (asked, report) == (["tags/ServiceTags_Public.json"], [])


@pytest.mark.parametrize(
    "error",
    [FileNotFoundError(2, "No such file or directory"), IsADirectoryError(21, "Is a directory"), ValueError("NUL")],
)
def test_a_file_that_cannot_be_read(error):
    def fail(_path):
        raise error

    tags, (problem,) = load(fail)
    assert tags is None
    assert (problem.code, problem.span.line, problem.span.column) == ("E0433", 1, 15)


def test_a_file_of_another_form_is_shown_where_the_inventory_names_it():
    tags, (problem,) = load(lambda _path: b"[]")
    assert tags is None
    assert (problem.code, problem.span.text) == ("E0434", "tags/ServiceTags_Public.json")


def test_the_cost_grows_with_the_file_and_not_faster():
    def of(count):
        values = [tag(f"T{i}", *(f"10.{j}.{i % 256}.0/24" for j in range(32))) for i in range(count)]
        data = published(*values)

        def read():
            assert len(read_service_tags(data).tags[f"t{count - 1}"].cidrs(4)) == 32

        return read

    assert_near_linear(of, 300, 3_000)
