"""One policy, and what a browser may ask a PAC file of it: the same questions for every engine."""

from __future__ import annotations

import json

POLICY = """policy p "P" {
  from g
  allow exact "E" { to foo.test ports 443/https 8443/tls }
  allow below "B" { to *.bar.test ports 443/https }
  allow both "D" { to both.test *.both.test ports 443/https }
  allow inner "I" { to a*.inner.test *.x.*.deep.test ports 443/https }
  allow path "P" { to crl.test/pki/v1 ports 80/http }
  allow escaped "S" { to crl.test/a%20b/%c3%89t%c3%a9 ports 80/http }
  allow most "M" { to *.most.test except *.not.most.test no*.most.test ports 443/https }
  allow four "4" { to 203.0.113.0/24 198.51.100.7 ports 443/https }
  allow six "6" { to 2001:db8::/32 ports 443/https }
  deny some "N" { to gone.bar.test ports any/tcp }
  allow other "O" { to plain.test ports 80/http 1024-65535/tcp }
}
"""

DIRECT = (
    "https://foo.test/", "https://foo.test:443/", "https://foo.test:8443/x", "https://FOO.Test/", "https://foo.test./",
    "wss://foo.test/",
    "https://a.bar.test/", "https://a.b.c.bar.test/", "https://A.BAR.TEST/",
    "https://both.test/", "https://x.y.both.test/",
    "https://a.inner.test/", "https://abc.inner.test/", "https://q.x.y.deep.test/", "https://r.q.x.y.deep.test/",
    "http://crl.test/pki/v1", "http://crl.test/pki/v1/root.crl", "http://crl.test/PKI/v1/", "http://crl.test/%70ki/v1?x",
    "http://crl.test/a%20b/%C3%89t%c3%A9/x", "http://crl.test/a%20b/%c3%a9t%c3%a9",
    "https://a.most.test/", "https://not.most.test.most.test/", "https://x.nota.most.test/",
    "https://203.0.113.0/", "https://203.0.113.255/", "https://198.51.100.7/",
    "https://[2001:db8::]/", "https://[2001:db8::1]/", "https://[2001:db8:ffff:ffff:ffff:ffff:ffff:ffff]/",
    "http://plain.test/", "http://plain.test:1024/", "https://plain.test:65535/", "http://user:443@plain.test/",
)  # fmt: skip

PROXIED = (
    "http://foo.test/", "https://foo.test:444/", "https://xfoo.test/", "https://a.foo.test/", "https://foo.test.evil.test/",
    "https://foo.test:1443/", "https://footest/", "https://foo.testx/",
    "https://bar.test/", "https://xbar.test/", "https://a.xbar.test/", "https://gone.bar.test/",
    "https://xboth.test/",
    "https://inner.test/", "https://b.a.inner.test/", "https://ba.inner.test/", "https://a.b.inner.test/",
    "https://x.y.deep.test/", "https://q.x.deep.test/", "https://q.x.y.z.deep.test/",
    "http://crl.test/", "http://crl.test/pki/v10", "http://crl.test/x/pki/v1", "http://crl.test/?/pki/v1",
    "https://crl.test/pki/v1", "http://a.crl.test/pki/v1", "http://crl.test/pki", "http://crl.test/a%20b/%c3t%c3%a9",
    "https://not.most.test/", "https://a.not.most.test/", "https://nothing.most.test/", "https://most.test/",
    "https://203.0.112.255/", "https://203.0.114.0/", "https://198.51.100.70/",
    "http://203.0.113.9/", "https://203.0.113.9.test/",
    "https://[2001:db7:ffff::1]/", "https://[2001:db9::]/", "https://[::]/", "https://[::cb00:7109]/",
    "http://plain.test:1023/", "https://plain.test/", "ftp://plain.test/", "http://plain.test:80@evil.test/",
    "https://__proto__/", "https://hasownproperty/", "https://constructor/", "https://a.constructor/",
)  # fmt: skip

# What no browser makes of a URL, but another client may: the host as it was typed.
ODD_DIRECT = (
    ("https://[2001:db8::1]/", "2001:0DB8:0::0001"),
    ("https://[2001:db8::1]/", "2001:db8:0:0:0:0:203.0.113.9"),
    ("https://foo.test/", "FOO.TEST."),
)
ODD_PROXIED = (
    ("https://x/", "1.203.0.113.9"), ("https://x/", "::203.0.113.9"), ("https://x/", "203.0.113.09"), ("https://x/", "203.0.113"), ("https://x/", "203.0.113.256"),
    ("https://x/", "0xcb.0.113.9"), ("https://x/", "3405803785"), ("https://x/", "2001:db8"), ("https://x/", "2001::db8::1"),
    ("https://x/", "2001:db8:1:2:3:4:5"), ("https://x/", "2001:db8:1:2:3:4:5:6:7"), ("https://x/", "2001:db8::1%eth0"),
    ("https://x/", ""), ("https://x/", "."), ("https://x/", ".bar.test"), ("https://x/", "foo.test.."),
    ("not a url", "foo.test"), ("gopher://foo.test/", "foo.test"),
)  # fmt: skip


def host_of(url):
    """The host of a URL as a browser hands it over: without brackets."""
    authority = url.split("/")[2].rpartition("@")[2].lower()
    if authority.startswith("["):
        return authority[1 : authority.index("]")]
    return authority.partition(":")[0]


def script_of(pac, pairs):
    """A script whose value is the JSON of the answers to some pairs of URL and host."""
    return f"""{pac}
(function () {{
  var asked = {json.dumps(list(pairs))}, answers = [], i;
  for (i = 0; i < asked.length; i++) {{ answers.push(FindProxyForURL(asked[i][0], asked[i][1])); }}
  return answers;
}})()"""
