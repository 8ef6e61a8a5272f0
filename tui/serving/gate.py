"""Who may come in. Pure decisions about a request's headers."""

from __future__ import annotations

import hmac
import ipaddress
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


@dataclass(slots=True, kw_only=True)
class Gate:
    """token: stands once in the address that is printed; pass_: in the cookie from then on. host: that it listens at.

    port: known once it listens.
    """

    host: str
    port: int = 0
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    pass_: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    @property
    def cookie(self) -> str:
        """Its name; cookies of one host are shared by all its ports."""
        return f"quarterdeck-{self.port}"

    @property
    def address(self) -> str:
        return f"http://{_bracketed(self.host)}:{self.port}/"

    def is_host(self, header: str) -> bool:
        """Whether a Host header means this server. A name that somebody else's DNS points here does not."""
        name, _, port = header.rpartition(":")
        if not name or port != str(self.port):
            return False
        name = name.strip("[]").lower()
        if name in LOOPBACK or name == self.host.lower():
            return True
        # Listening at every address: any of them may be meant, but no name.
        return _is_wildcard(self.host) and _is_address(name)

    def is_origin(self, origin: str, host_header: str) -> bool:
        """Whether a page of this server asks, and not another one that is open in the same browser."""
        return self.is_host(host_header) and origin == f"http://{host_header}"

    def is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self.token.encode())

    def has_pass(self, cookies: Mapping[str, str]) -> bool:
        return hmac.compare_digest(cookies.get(self.cookie, "").encode(), self.pass_.encode())


def is_loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    return _is_address(host) and ipaddress.ip_address(host).is_loopback


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_wildcard(host: str) -> bool:
    return _is_address(host) and ipaddress.ip_address(host).is_unspecified


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def headers(host_header: str) -> dict[str, str]:
    """Of every answer: nothing is loaded from, sent to, framed or kept by anybody else."""
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        f"font-src 'self'; connect-src ws://{host_header}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return {
        "Content-Security-Policy": policy,
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-store",
    }
