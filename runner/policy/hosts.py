"""The host that a URL goes to. An allowance takes only what every reader of URLs reads alike."""

from __future__ import annotations

import ipaddress
import re
import socket
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}
_PLAIN = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]+(?:[/?#][!-~]*)?", re.ASCII)
_NAME = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9-]{1,63}(?<!-))*", re.ASCII)
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*", re.ASCII)
_RULE = re.compile(r"(?:\*\.)?(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?", re.ASCII)


def host_problem(host: str) -> str | None:
    """What is wrong with the host of a rule, or None."""
    name = _split(host.lower())[0]
    bare = name.removeprefix("*.")
    ip = _address(bare.strip("[]"))
    if not _RULE.fullmatch(host.lower()) or (ip is None and not _NAME.fullmatch(bare)):
        return "is not the name of a host"
    if ip is None and bare.rpartition(".")[2].isdigit():
        return "is not an IP address as it is usually written"
    if name.startswith("*.") and (ip is not None or "." not in bare):
        return "stands for too many hosts"
    return None


def goes_to(url: str, host: str) -> bool:
    """Whether the URL certainly goes to the host of a rule: no user name, no odd character, no other port."""
    found = _certain(url)
    if found is None:
        return False
    name, port, default = found
    wanted, wanted_port = _split(host.lower())
    if port != (wanted_port or default):
        return False
    if wanted.startswith("*."):
        return name.endswith(wanted[1:]) and _address(name) is None
    one, other = _address(name), _address(wanted.strip("[]"))
    return one == other if one is not None or other is not None else name == wanted


def may_go_to(url: str, host: str) -> bool | None:
    """The same for a denial: any port, any spelling; None where it cannot be told."""
    wanted = _split(host.lower())[0]
    text = "".join(char for char in url if char.isprintable() and not char.isspace()).replace("\\", "/")
    try:
        names = {_loose(urlsplit(text).hostname or "")}
    except ValueError:
        return None
    # Readers disagree about what stands before an @ or behind a backslash, so each name counts.
    names |= {_loose(part) for part in re.split(r"[\s/@?#\\:]+", url) if "." in part or "\u3002" in part}
    names.discard("")
    if not names:
        return None
    if wanted.startswith("*."):
        return any(name.endswith(wanted[1:]) for name in names)
    return _loose(wanted.strip("[]")) in names


def host_of(url: str) -> str | None:
    """The host as a rule would name it, None where the URL is not certain to be read alike by all."""
    found = _certain(url)
    if found is None:
        return None
    name, port, default = found
    shown = f"[{name}]" if ":" in name else name
    return shown if port == default else f"{shown}:{port}"


def _certain(url: str) -> tuple[str, int, int] | None:
    if not _PLAIN.fullmatch(url):
        return None
    try:
        parts = urlsplit(url)
        default = _PORTS[parts.scheme]
        port = parts.port or default
    except (ValueError, KeyError):
        return None
    name = (parts.hostname or "").lower()
    if _address(name) is None and (
        not _NAME.fullmatch(name) or re.fullmatch(r"\d+|0x[0-9a-f]*", name.rpartition(".")[2])
    ):
        return None
    return name, port, default


def _split(host: str) -> tuple[str, int | None]:
    name, _, port = host.rpartition(":")
    if name and port.isdigit() and not (":" in name and not name.endswith("]")):
        return name, int(port)
    return host, None


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


def _loose(name: str) -> str:
    """One spelling for all: IDN as ASCII, numbers as an address, no final dot."""
    text = name.strip().rstrip(".").casefold()
    try:
        text = text.encode("idna").decode("ascii")
    except UnicodeError:
        return text
    if re.fullmatch(r"[\dxa-f.]+", text) and text[:1].isdigit():
        try:
            return socket.inet_ntoa(socket.inet_aton(text))
        except OSError:
            return text
    found = _address(text)
    if isinstance(found, ipaddress.IPv6Address):
        return str(found.ipv4_mapped or found)
    return text
