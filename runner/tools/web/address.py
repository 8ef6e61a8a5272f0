"""Which URLs may be opened, and which addresses a name may stand for.

A URL is brought into its one plain form first, so that what is shown, what a rule reads and what is connected to are
the same; what two readers of URLs could read differently is refused.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from runner.errors import ConfigError, ToolInputError

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

LONGEST = 8000
"""Characters of a URL."""

_PORTS = {"http": 80, "https": 443}
_LABEL = r"(?!-)[a-z0-9-]{1,63}(?<!-)"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*", re.ASCII)
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*", re.ASCII)
_NOT_PLAIN = re.compile(r"[^!-~]|\\")
_LOCAL_NAMES = ("localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback")

_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_KINDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("the metadata service of a cloud", ("169.254.169.254/32", "168.63.129.16/32", "100.100.100.200/32")),
    ("the metadata service of a cloud", ("192.0.0.192/32", "fd00:ec2::254/128", "fd20:ce::254/128")),
    ("a loopback address", ("127.0.0.0/8", "::1/128")),
    ("an unspecified address", ("0.0.0.0/8", "::/128")),
    ("a private address", ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fec0::/10")),
    ("a link-local address", ("169.254.0.0/16", "fe80::/10")),
    ("an address shared behind a provider's NAT", ("100.64.0.0/10",)),
    ("a multicast address", ("224.0.0.0/4", "ff00::/8")),
    ("an IPv4 address dressed as IPv6", ("::ffff:0:0/96", "::/96", "2002::/16", "2001::/32", "64:ff9b:1::/48")),
    ("a relay address", ("192.88.99.0/24",)),
)
_NETWORKS = tuple((words, ipaddress.ip_network(text)) for words, texts in _KINDS for text in texts)
_METADATA = _KINDS[0][0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A URL in its plain form. host: a name, or an address without brackets. literal: the host is that address."""

    url: str
    scheme: str
    host: str
    port: int
    literal: IPAddress | None

    @property
    def netloc(self) -> str:
        """For the Host header: the port only where it is not the usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    def may_lead_to(self, other: Target) -> bool:
        """Whether a redirect stays where the person allowed it: the same host and port, or up from http to https."""
        if self.host != other.host:
            return False
        same = (self.scheme, self.port) == (other.scheme, other.port)
        return same or ((self.scheme, self.port) == ("http", 80) and (other.scheme, other.port) == ("https", 443))


def read_url(text: str) -> Target:
    """Raises ToolInputError with what is wrong, in words for the model."""
    text = text.strip()
    if len(text) > LONGEST:
        raise ToolInputError(f"url: is longer than {LONGEST:,} characters")
    if any(not char.isprintable() for char in text):
        raise ToolInputError("url: has a control character or an invisible character in it")
    parts, scheme = _split(text)
    if "@" in parts.netloc:
        raise ToolInputError("url: has a user name or password in it; only addresses without are opened")
    if "\\" in parts.netloc:
        raise ToolInputError("url: has a backslash in its host")
    host, literal = _host(parts)
    try:
        port = _PORTS[scheme] if parts.port is None else parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise ToolInputError("url: its port is not a number from 1 to 65535")
    found = Target(url="", scheme=scheme, host=host, port=port, literal=literal)
    rest = (parts.path if parts.path.startswith("/") else f"/{parts.path}") + (f"?{parts.query}" if parts.query else "")
    url = f"{scheme}://{found.netloc}{_NOT_PLAIN.sub(lambda char: _quoted(char[0]), rest)}"
    return Target(url=url, scheme=scheme, host=host, port=port, literal=literal)


def _split(text: str) -> tuple[SplitResult, str]:
    try:
        parts = urlsplit(text)
        scheme = parts.scheme.lower()
        if scheme in _PORTS and parts.hostname and text[len(scheme) :].startswith("://"):
            return parts, scheme
    except ValueError as error:
        raise ToolInputError(f"url: cannot be read: {error}") from error
    if scheme and scheme not in _PORTS:
        raise ToolInputError(f"url: only http and https addresses are opened, not {scheme}")
    raise ToolInputError("url: is not a whole address; it begins with https:// and a host")


def _quoted(char: str) -> str:
    return "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "replace"))


def _host(parts: SplitResult) -> tuple[str, IPAddress | None]:
    name = (parts.hostname or "").lower()
    if ":" in name:
        try:
            return str(ipaddress.IPv6Address(name)), _plain_v6(name)
        except ValueError as error:
            raise ToolInputError(f"url: [{name}] is not an IPv6 address") from error
    if not name.isascii():
        name = _ascii(name)
    name = name.removesuffix(".")
    if _NUMBER.fullmatch(name.rpartition(".")[2]):
        # inet_aton would take 0x7f.1, 2130706433 and 0177.0.0.1 as well; nobody who means well writes those.
        try:
            literal = ipaddress.IPv4Address(name)
        except ValueError as error:
            raise ToolInputError(f"url: {name} is not an IP address as it is usually written") from error
        return str(literal), literal
    if not _NAME.fullmatch(name) or len(name) > 253:
        raise ToolInputError(f"url: {name!r} is not the name of a host")
    return name, None


def _plain_v6(name: str) -> IPAddress:
    found = ipaddress.IPv6Address(name)
    if found.scope_id is not None:
        raise ToolInputError("url: an address with a zone is not opened")
    return found


def _ascii(name: str) -> str:
    import idna

    try:
        return idna.encode(name, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError) as error:
        raise ToolInputError(f"url: {name!r} is not the name of a host") from error


def not_public(address: IPAddress) -> str | None:
    """What the address is where it is not one of the public internet, in words; None where it is."""
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:
            return not_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        if address.scope_id is not None:
            return "an address with a zone"
    for words, network in _NETWORKS:
        if address.version == network.version and address in network:
            return words
    if isinstance(address, ipaddress.IPv6Address) and address not in _GLOBAL_V6:
        return "not an address of the public internet"
    return None if address.is_global else "a reserved address"


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    network: ipaddress.IPv4Network | ipaddress.IPv6Network | None
    port: int | None


class PrivateHosts:
    """The hosts that may be private. Entries: a name, "*.name", an address or a network, each with ":port" or without.

    A network is about URLs with an address in them: a name that anybody can point there is not meant by it. Raises
    ConfigError for an entry that is none of these.
    """

    def __init__(self, entries: Iterable[str] = ()) -> None:
        self._entries = tuple(_entry(text) for text in entries)

    def problem(self, target: Target, addresses: Iterable[IPAddress]) -> str | None:
        """Why one of the addresses must not be connected to, in words for the model; None where each may be."""
        for address in addresses:
            what = not_public(address)
            if what is None or self._allows(target, what):
                continue
            leads = f"{target.host} is" if address == target.literal else f"{target.host} leads to {address}, which is"
            return f"{leads} {what}; only a person can allow that, by listing the host in private_hosts."
        return None

    def problem_before_asking(self, target: Target) -> str | None:
        """The same by the URL alone, so that nobody is asked about what will not be done."""
        if target.literal is not None:
            return self.problem(target, [target.literal])
        if target.host in _LOCAL_NAMES or target.host.endswith(".localhost"):
            return self.problem(target, [ipaddress.IPv4Address("127.0.0.1")])
        return None

    def _allows(self, target: Target, what: str) -> bool:
        for entry in self._entries:
            if entry.port not in (None, target.port):
                continue
            if target.literal is not None:
                if entry.network is not None and target.literal in entry.network:
                    return True
            elif entry.network is None and what != _METADATA and _named(target.host, entry.name):
                return True
        return False


def _named(host: str, name: str) -> bool:
    return host.endswith(name[1:]) if name.startswith("*.") else host == name


def _entry(text: str) -> _Entry:
    given = text.strip().lower()
    bare, port = given, None
    found = re.fullmatch(r"(\[[^\]]*\]|[^:]*):(\d{1,5})", given)
    if found is not None and 0 < int(found[2]) < 65536:
        bare, port = found[1], int(found[2])
    try:
        inner = bare[1:-1] if bare.startswith("[") and bare.endswith("]") else bare
        return _Entry("", ipaddress.ip_network(inner), port)
    except ValueError:
        name = bare.removesuffix(".")
    plain = name.removeprefix("*.")
    if _NAME.fullmatch(plain) and not _NUMBER.fullmatch(plain.rpartition(".")[2]) and (name == plain or "." in plain):
        return _Entry(name, None, port)
    raise ConfigError(f"{text!r} is no host", where="private_hosts", expected="a name, *.name, an address or network")
