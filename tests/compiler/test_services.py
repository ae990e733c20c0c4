"""Services: every form under `ports`, every mistake, and what an application says."""

from __future__ import annotations

import pytest

from egressc.services import ALL_PORTS, NO_PORTS, Application, PortSet, Service, parse_service


@pytest.mark.parametrize(
    ("text", "application", "first", "last", "normal"),
    [
        ("443", "https", 443, 443, "443/https"),
        ("80", "http", 80, 80, "80/http"),
        ("443/tcp", "tcp", 443, 443, "443/tcp"),
        ("5671-5672/tls", "tls", 5671, 5672, "5671-5672/tls"),
        ("53-53/udp", "udp", 53, 53, "53/udp"),
        ("any/tcp", "tcp", 1, 65535, "any/tcp"),
        ("1-65535/udp", "udp", 1, 65535, "any/udp"),
        ("65535/tcp", "tcp", 65535, 65535, "65535/tcp"),
    ],
)
def test_services(text, application, first, last, normal):
    service = parse_service(text)
    assert service == Service(Application(application), first, last)
    assert service.text == normal


@pytest.mark.parametrize(
    ("text", "code", "marked", "fix"),
    [
        ("8080", "E0336", "8080", "write `8080/` and one of"),
        ("any", "E0336", "any", "write `any/`"),
        ("80-443", "E0336", "80-443", "write `80-443/`"),
        ("443-443", "E0336", "443-443", "write `443-443/`"),
        ("443/htps", "E0337", "htps", "did you mean `443/https`?"),
        ("636/ldaps", "E0337", "ldaps", "did you mean `636/tls`?"),
        ("443/quic", "E0337", "quic", "did you mean `443/udp`?"),
        ("443/tcp,udp", "E0335", "443/tcp,udp", "`443/tcp 443/udp`"),
        ("5671,5672/tls", "E0335", "5671,5672/tls", "`5671/tls 5672/tls`"),
        ("80;443/https", "E0335", "80;443/https", "`80 443/https`"),
        (",", "E0335", ",", "write a port and its application"),
        ("01-02/tcp", "E0339", "01", "`1-2/tcp`"),
        ("443/icmp", "E0337", "icmp", "the applications are"),
        ("0/tcp", "E0338", "0", "from 1 to 65535"),
        ("0-10/tcp", "E0338", "0", "from 1 to 65535"),
        ("65536/tcp", "E0338", "65536", "from 1 to 65535"),
        ("1-70000/tcp", "E0338", "70000", "from 1 to 65535"),
        ("9" * 6000 + "/tcp", "E0338", "9" * 6000, "from 1 to 65535"),
        ("0443/https", "E0339", "0443", "write `443/https`"),
        ("1-0010/tcp", "E0339", "0010", "write `1-10/tcp`"),
        ("00/tcp", "E0339", "00", "from 1 to 65535"),
        ("10-1/tcp", "E0340", "10-1", "write `1-10/tcp`"),
        ("2-1/udp", "E0340", "2-1", "write `1-2/udp`"),
        ("443/HTTPS", "E0335", "443/HTTPS", "write `443/https`"),
        ("https", "E0335", "https", "`443/https`"),
        ("tcp/443", "E0335", "tcp/443", "write the port first: `443/tcp`"),
        ("80,443", "E0335", "80,443", "`80 443`"),
        ("*/tcp", "E0335", "*/tcp", "write `any/tcp`"),
        ("80:90/tcp", "E0335", "80:90/tcp", "`80-90/tcp`"),
        ("443:https", "E0335", "443:https", "`443/https`"),
        ("443/", "E0335", "443/", "such as `443/https`"),
        ("-1/tcp", "E0335", "-1/tcp", "such as `443/https`"),
        ("443/tcp/udp", "E0335", "443/tcp/udp", "such as `443/https`"),
        ("٤٤٣/tcp", "E0335", "٤٤٣/tcp", "such as `443/https`"),
    ],
)  # fmt: skip
def test_mistakes(text, code, marked, fix):
    problem = parse_service(text)
    assert problem.code == code
    assert text[problem.start : problem.end] == marked
    assert fix in problem.help


def test_what_an_application_says():
    assert {a.value: (a.transport, a.recognition) for a in Application} == {
        "https": ("tcp", "sni"),
        "http": ("tcp", "host"),
        "tls": ("tcp", "sni"),
        "tcp": ("tcp", "none"),
        "udp": ("udp", "none"),
    }


def test_the_application_is_no_part_of_a_flow():
    assert PortSet.of([parse_service("443/https")]) == PortSet.of([parse_service("443/tcp")])
    assert PortSet.of([parse_service("443/https")]) != PortSet.of([parse_service("443/udp")])


def test_port_sets():
    ports = PortSet.of(parse_service(word) for word in ("443", "80", "81/tcp", "any/udp"))
    assert ports == PortSet(((80, 81), (443, 443)), ((1, 65535),))
    assert ports.text == "80-81/tcp 443/tcp any/udp"
    assert ports.first() == ("tcp", 80)
    assert PortSet(udp=((53, 53),)).first() == ("udp", 53)
    assert ALL_PORTS.difference(ALL_PORTS) == NO_PORTS
    assert NO_PORTS.is_empty
    assert NO_PORTS.text == "no ports"
    with pytest.raises(ValueError, match="empty"):
        NO_PORTS.first()


def test_services_sort_by_transport_and_port():
    words = ["53/udp", "443/tls", "80/http", "443/https"]
    ordered = sorted((parse_service(word) for word in words), key=lambda s: s.sort_key)
    assert [s.text for s in ordered] == ["80/http", "443/https", "443/tls", "53/udp"]
