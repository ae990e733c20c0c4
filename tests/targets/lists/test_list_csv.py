"""The plain table: everything that a policy says is in it."""

from lists_support import policy_of, reasons_of, text_of

HEAD = "destination,ports,path,except,rules\n"


def test_every_kind_of_endpoint():
    policy = policy_of(
        "foo.test", "*.bar.test", "a*.baz.test", "203.0.113.0/24", "2001:db8::1", ports="443/https 8443/tls"
    )
    assert text_of(policy, "csv") == HEAD + (
        "*.bar.test,443 8443,,,p/web\n"
        "a*.baz.test,443 8443,,,p/web\n"
        "foo.test,443 8443,,,p/web\n"
        "203.0.113.0/24,443 8443,,,p/web\n"
        "2001:db8::1,443 8443,,,p/web\n"
    )
    assert reasons_of(policy, "csv") == [("address", "narrower")]
