"""Which URLs web_fetch opens, and to which addresses: every spelling of a place that it must not reach."""

from __future__ import annotations

import ipaddress
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import ConfigError, ToolInputError
from runner.policy.hosts import goes_to, host_of
from runner.tools.web.address import PrivateHosts, not_public, read_url

NOBODY = PrivateHosts()


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://example.com", "https://example.com/"),
        (" HTTPS://Example.COM./a \n", "https://example.com/a"),
        ("http://example.com:80/a?b=c#d", "http://example.com/a?b=c"),
        ("https://example.com:8443?q", "https://example.com:8443/?q"),
        ("http://example.com/a b\u00e9\\c", "http://example.com/a%20b%C3%A9%5Cc"),
        ("http://m\u00fcnchen.de/", "http://xn--mnchen-3ya.de/"),
        ("http://\uff45xample.com/", "http://example.com/"),
        ("http://1.2.3.4/", "http://1.2.3.4/"),
        ("http://[2606:4700::0:1111]:81/", "http://[2606:4700::1111]:81/"),
    ],
)
def test_a_url_has_one_form(text: str, url: str) -> None:
    assert read_url(text).url == url
    assert read_url(url).url == url


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not a whole address"),
        ("example.com/a", "not a whole address"),
        ("https:example.com", "not a whole address"),
        ("https:///a", "not a whole address"),
        ("//example.com/a", "not a whole address"),
        ("ftp://example.com/", "only http and https"),
        ("file:///etc/passwd", "only http and https"),
        ("javascript:alert(1)", "only http and https"),
        ("data:text/plain,x", "only http and https"),
        ("https://user@example.com/", "user name"),
        ("https://user:word@example.com/", "user name"),
        ("https://example.com@127.0.0.1/", "user name"),
        ("https://example.com\\@127.0.0.1/", "user name"),
        ("https://example.com\\.evil.test/", "backslash"),
        ("https://example.com:0/", "port"),
        ("https://example.com:99999/", "port"),
        ("https://example.com:x/", "port"),
        ("https://exa mple.com/", "not the name of a host"),
        ("https://example..com/", "not the name of a host"),
        ("https://-a.com/", "not the name of a host"),
        ("https://a_b.com/", "not the name of a host"),
        ("https://%31%32%37.0.0.1/", "as it is usually written"),
        ("https://exa\tmple.com/", "control character"),
        ("https://example.com/\u202e", "invisible character"),
        ("https://exam\u200bple.com/", "invisible character"),
        ("https://[::1", "cannot be read"),
        ("https://[fe80::1%25eth0]/", "with a zone"),
        ("https://example.com/" + "a" * 9000, "longer than"),
    ],
)
def test_what_is_no_url_for_us(text: str, words: str) -> None:
    with pytest.raises(ToolInputError, match=words):
        read_url(text)


@pytest.mark.parametrize(
    "host",
    [
        *(
            "127.0.0.1",
            "127.1.2.3",
            "0.0.0.0",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.1.1",
        ),
        *(
            "169.254.169.254",
            "168.63.129.16",
            "100.100.100.200",
            "100.64.0.1",
            "192.0.0.1",
            "192.0.0.192",
            "198.18.0.1",
        ),
        *("192.0.2.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "192.88.99.1"),
        *("[::1]", "[::]", "[fc00::1]", "[fd00:ec2::254]", "[fe80::1]", "[fec0::1]", "[ff02::1]", "[::ffff:127.0.0.1]"),
        *(
            "[::ffff:8.8.8.8]",
            "[::ffff:7f00:1]",
            "[::127.0.0.1]",
            "[2002:7f00:1::]",
            "[2001:0:1::1]",
            "[64:ff9b::7f00:1]",
        ),
        *("[64:ff9b:1::1]", "[2001:db8::1]", "[100::1]", "[4000::1]", "localhost", "LOCALHOST.", "a.localhost"),
    ],
)
def test_addresses_that_are_not_of_the_public_internet(host: str) -> None:
    problem = NOBODY.problem_before_asking(read_url(f"http://{host}/"))
    assert problem is not None
    assert "private_hosts" in problem


@pytest.mark.parametrize(
    "host",
    [
        *(
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "017700000001",
            "0177.0.0.1",
            "127.1",
            "127.0.1",
            "1.2.3.4.5",
            "256.1.1.1",
        ),
        *("127.0.0.1.", "\uff11\uff12\uff17.0.0.1", "127\u30020\u30020\u30021", "0x7f.0x0.0x0.0x1", "01.2.3.4"),
    ],
)
def test_other_spellings_of_an_address(host: str) -> None:
    """As a number, in octal, in hex, shortened, in wide digits: refused, or read as what it is and refused."""
    try:
        target = read_url(f"http://{host}/")
    except ToolInputError:
        return
    assert NOBODY.problem_before_asking(target) is not None


@pytest.mark.parametrize("host", ["8.8.8.8", "1.1.1.1", "[2606:4700::1111]", "[64:ff9b::808:808]", "example.com"])
def test_public_hosts(host: str) -> None:
    assert NOBODY.problem_before_asking(read_url(f"https://{host}/")) is None


@given(st.ip_addresses())
def test_the_classifier_never_trusts_more_than_the_library_does(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if not_public(address) is None:
        nat64 = isinstance(address, ipaddress.IPv6Address) and address in ipaddress.IPv6Network("64:ff9b::/96")
        assert nat64 or (address.is_global and not address.is_multicast and not address.is_reserved)
    if isinstance(address, ipaddress.IPv4Address):
        wide = ipaddress.IPv6Address(f"64:ff9b::{address}")
        assert not_public(wide) == not_public(address)
        for dressed in (f"::ffff:{address}", f"::{address}"):
            assert not_public(ipaddress.IPv6Address(dressed)) is not None


@given(st.ip_addresses(v=4))
def test_private_networks_of_the_library_are_refused(address: ipaddress.IPv4Address) -> None:
    private = address.is_private or address.is_loopback or address.is_link_local or address.is_multicast
    if private or address in ipaddress.ip_network("100.64.0.0/10"):
        assert not_public(address) is not None


_PIECES = st.sampled_from(
    [
        *(
            "http",
            "https",
            "://",
            ":",
            "/",
            "//",
            "@",
            "\\",
            "?",
            "#",
            "[",
            "]",
            ".",
            "%",
            "..",
            " ",
            "\t",
            "\n",
            "\u3002",
        ),
        *(
            "example.com",
            "127.0.0.1",
            "0x7f",
            "1",
            "::1",
            "user",
            "a",
            "xn--",
            "\u00fc",
            "\u200b",
            "80",
            "443",
            "0",
            "_",
        ),
    ]
)


@given(st.lists(_PIECES, max_size=12).map("".join))
def test_what_is_opened_is_what_a_rule_reads(text: str) -> None:
    """The host of a grant, of the card and of the connection are one, or the URL is refused."""
    try:
        target = read_url(text)
    except ToolInputError:
        return
    host = host_of(target.url)
    assert host is not None
    assert host == target.netloc
    assert goes_to(target.url, host)
    assert read_url(target.url) == target
    if target.literal is None:
        with pytest.raises(OSError, match="illegal IP"):
            socket.inet_aton(target.host)


@pytest.mark.parametrize(
    ("entries", "url", "allowed"),
    [
        (["127.0.0.1"], "http://127.0.0.1:8000/", True),
        (["127.0.0.1:8000"], "http://127.0.0.1:8000/", True),
        (["127.0.0.1:8000"], "http://127.0.0.1:8001/", False),
        (["127.0.0.0/8"], "http://127.9.9.9/", True),
        (["10.0.0.0/8"], "http://127.0.0.1/", False),
        (["[::1]:80"], "http://[::1]/", True),
        (["::1"], "http://[::1]/", True),
        (["localhost"], "http://localhost:8000/", True),
        (["localhost:1"], "http://localhost:8000/", False),
        (["Localhost."], "http://localhost./", True),
        (["*.localhost"], "http://a.localhost/", False),
        (["169.254.169.254"], "http://169.254.169.254/", True),
        (["localhost"], "http://127.0.0.1/", False),
    ],
)
def test_private_hosts_that_are_listed(entries: list[str], url: str, *, allowed: bool) -> None:
    if entries == ["*.localhost"]:
        with pytest.raises(ConfigError):
            PrivateHosts(entries)
        return
    assert (PrivateHosts(entries).problem_before_asking(read_url(url)) is None) is allowed


def test_a_listed_name_may_lead_to_private_addresses_but_not_to_metadata() -> None:
    hosts = PrivateHosts(["wiki.corp.test", "*.lab.test:8080"])
    inside, metadata = ipaddress.ip_address("10.0.0.5"), ipaddress.ip_address("169.254.169.254")
    assert hosts.problem(read_url("http://wiki.corp.test/"), [inside]) is None
    assert hosts.problem(read_url("http://a.lab.test:8080/"), [inside]) is None
    assert hosts.problem(read_url("http://a.lab.test/"), [inside]) is not None
    assert hosts.problem(read_url("http://lab.test:8080/"), [inside]) is not None
    assert "metadata" in (hosts.problem(read_url("http://wiki.corp.test/"), [inside, metadata]) or "")
    # A network in the list is about addresses in URLs: any name could be made to lead into it.
    network = PrivateHosts(["10.0.0.0/8"])
    assert network.problem(read_url("http://evil.test/"), [inside]) is not None


@pytest.mark.parametrize("entry", ["", "*", "*.com", "a b", "http://a", "a/b", "0x7f.1", "a:0", "a:99999", "[::1"])
def test_entries_that_are_no_hosts(entry: str) -> None:
    with pytest.raises(ConfigError):
        PrivateHosts([entry])


@pytest.mark.parametrize(
    ("one", "other", "stays"),
    [
        ("http://a.test/x", "http://a.test/y", True),
        ("http://a.test/", "https://a.test/", True),
        ("https://a.test/", "http://a.test/", False),
        ("http://a.test:81/", "https://a.test/", False),
        ("http://a.test/", "http://a.test:81/", False),
        ("http://a.test/", "http://www.a.test/", False),
    ],
)
def test_which_redirects_stay_where_the_person_allowed_it(one: str, other: str, *, stays: bool) -> None:
    assert read_url(one).may_lead_to(read_url(other)) is stays
