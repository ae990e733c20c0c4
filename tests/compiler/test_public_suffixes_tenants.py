"""Wildcards under which anyone can register a name."""

from __future__ import annotations

import pytest

from egressc.public_suffixes_tenants import note_for, open_suffixes, owner

OPEN = {
    # the private section of the list
    "*.blob.core.windows.net": ("blob.core.windows.net",),
    "*.servicebus.windows.net": ("servicebus.windows.net",),
    "*.github.io": ("github.io",),
    # a label that is only partly given can be registered
    "azgn*.servicebus.windows.net": ("servicebus.windows.net",),
    "san-af-*-prod.azurewebsites.net": ("azurewebsites.net",),
    "autodiscover.*.onmicrosoft.com": ("onmicrosoft.com",),
    "[one-label].github.io": ("github.io",),
    # what the list lacks
    "*.vault.azure.net": ("vault.azure.net",),
    "*.queue.core.windows.net": ("queue.core.windows.net",),
    # above a suffix
    "*.azure.net": ("vault.azure.net",),
    "*.core.usgovcloudapi.net": (
        "blob.core.usgovcloudapi.net",
        "dfs.core.usgovcloudapi.net",
        "file.core.usgovcloudapi.net",
        "queue.core.usgovcloudapi.net",
        "table.core.usgovcloudapi.net",
        "web.core.usgovcloudapi.net",
    ),
    # `*.azurecontainer.io` in the list: every label there is a suffix
    "*.azurecontainer.io": ("azurecontainer.io",),
    "*.westeurope.azurecontainer.io": ("westeurope.azurecontainer.io",),
    # a suffix below another
    "*.eu.ngrok.io": ("eu.ngrok.io",),
    # with a path, and whatever the case
    "*.Blob.Core.Windows.NET/path": ("blob.core.windows.net",),
}

CLOSED = (
    "contoso.blob.core.windows.net",
    "*.contoso.blob.core.windows.net",
    "*.${tenant}.blob.core.windows.net",
    "${tenant}.blob.core.windows.net",
    "a*.contoso.blob.core.windows.net",
    "*.msauth.net",
    "*.microsoft.com",
    "*.blob.core.windows.net.contoso.example",
    "*.myblob.core.windows.net",
    "blob.core.windows.net",
    "*.contoso.co.uk",
    "10.0.0.0/8",
    "any-address",
    "service-tag AzureCloud",
)


@pytest.mark.parametrize(("pattern", "suffixes"), OPEN.items())
def test_names_below_the_wildcard_are_for_anyone(pattern, suffixes):
    assert open_suffixes(pattern.partition("/")[0]) == suffixes
    assert note_for(pattern).startswith("anyone can register a name under `")


@pytest.mark.parametrize("pattern", CLOSED)
def test_nobody_else_gets_a_name_there(pattern):
    assert note_for(pattern) == ""


def test_the_note_is_the_one_that_diff_prints():
    assert note_for("*.blob.core.windows.net") == "anyone can register a name under `blob.core.windows.net`"


def test_the_note_names_two_suffixes_and_counts_the_rest():
    note = note_for("*.core.usgovcloudapi.net")
    assert note == (
        "anyone can register a name under `blob.core.usgovcloudapi.net`, `dfs.core.usgovcloudapi.net` and 4 more"
    )
    left = {"web.core.usgovcloudapi.net", "table.core.usgovcloudapi.net"}
    assert note_for("*.core.usgovcloudapi.net", left.__contains__) == (
        "anyone can register a name under `table.core.usgovcloudapi.net` and `web.core.usgovcloudapi.net`"
    )
    assert note_for("*.core.usgovcloudapi.net", lambda _: False) == ""


def test_a_wildcard_above_a_suffix_takes_in_what_is_below_it():
    assert {"blob.core.windows.net", "servicebus.windows.net"} <= set(open_suffixes("*.windows.net"))
    # `*` inside is exactly one label: the tenant's name is not among those labels here
    assert open_suffixes("a.*.core.windows.net") == ()
    assert "blob.core.windows.net" in open_suffixes("*.*.core.windows.net")


def test_a_suffix_that_no_list_has():
    assert (
        note_for("*.corp") == "`corp` is in no list of public suffixes, so nobody can say who registers names under it"
    )
    assert note_for("*.contoso.corp") == ""


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("a.b.contoso.co.uk", "contoso.co.uk"),
        ("login.windows.net", "windows.net"),
        ("x.contoso.blob.core.windows.net", "contoso.blob.core.windows.net"),
        ("contoso.westeurope.azurecontainer.io", "contoso.westeurope.azurecontainer.io"),
        ("intranet.contoso.corp", "contoso.corp"),
        ("co.uk", "co.uk"),
    ],
)
def test_owner_is_one_label_below_the_suffix(host, expected):
    assert ".".join(owner(host.split("."))) == expected
