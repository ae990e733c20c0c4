"""What an account is called where User-ID knows users by name."""

from egressc.flows import Choice
from egressc.policy import Account
from egressc.targets.paloalto import TARGET


def account(**bindings):
    by_kind = tuple((kind.replace("_", "-"), tuple(values)) for kind, values in bindings.items())
    return Account("x", "X", by_kind, None)


def test_an_account_is_its_directory_users_in_any_letter_case():
    both = account(directory_user=["CONTOSO\\wapc$", "contoso\\One"])
    assert TARGET.processes(both) == ((("directory-user", Choice(frozenset({"contoso\\wapc$", "contoso\\one"}))),),)


def test_other_platforms_bindings_are_no_users():
    assert TARGET.processes(account(windows_account=["SYSTEM"], linux_user=["997"])) == ()
    both = account(windows_account=["SYSTEM"], directory_user=["C\\one"])
    assert TARGET.processes(both) == ((("directory-user", Choice(frozenset({"c\\one"}))),),)
