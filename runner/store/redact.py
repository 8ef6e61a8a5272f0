"""Masking secrets in what leaves the store."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

if TYPE_CHECKING:
    from runner.store.base import SessionSummary

SHORTEST_VALUE = 8
"""An environment value shorter than this is not looked for: it would be found in ordinary words."""

_SECRET_NAME = re.compile(
    r"KEY|TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|AUTH(?!OR)|COOKIE|DSN|DATABASE_URL", re.IGNORECASE
)
_HARMLESS_NAME = re.compile(
    r"(?:_|^)(?:FILE|PATH|SOCK|DIR|HOME|NAME|PID|HELPER|ASKPASS|TYPE|BASE|HOST)$", re.IGNORECASE
)
_HARMLESS_VALUE = re.compile(r"(?:true|false|yes|no|none|null|disabled|enabled|[\d.]+)", re.IGNORECASE)

_EDGE = r"(?:(?<![A-Za-z0-9_])(?<![A-Za-z0-9_]-)|(?<=\\[nrt])|(?<=\\[nrt]-))"
"""Not in the middle of a word. A minus before it may be that of a removed line, a letter that of an escaped end."""

_SHAPES: tuple[tuple[str, str], ...] = (
    (
        "private key",
        r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----"
        r"(?:.{0,20000}?-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----"
        # Cut off: all the lines that hold nothing but the key's own letters.
        r"|(?:(?:\s|\\n)+(?:[A-Za-z0-9+/=]{8,}|[A-Za-z-]+: [^\n\\]*)(?=[ \t\r]*(?:\n|\\n|\Z)))*)",
    ),
    ("JWT", _EDGE + r"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]*"),
    ("API key", _EDGE + r"sk-[A-Za-z0-9_-]{16,}"),
    ("API key", _EDGE + r"(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{16,}"),
    ("API key", _EDGE + r"(?:gsk_|xai-|pplx-|r8_|tgp_v1_|nvapi-|csk-)[A-Za-z0-9_-]{20,}"),
    ("GitHub token", _EDGE + r"(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})"),
    ("GitLab token", _EDGE + r"gl[a-z]{2,4}-[A-Za-z0-9_-]{20,}"),
    ("AWS key id", _EDGE + r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])"),
    ("Slack token", _EDGE + r"xox[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]{10,}"),
    ("Slack token", _EDGE + r"xapp-[A-Za-z0-9-]{10,}"),
    ("Slack webhook", r"https://hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9/_-]{20,}"),
    ("Google key", _EDGE + r"AIza[A-Za-z0-9_-]{35}"),
    ("Google token", _EDGE + r"ya29\.[A-Za-z0-9_-]{20,}"),
    ("Hugging Face token", _EDGE + r"hf_[A-Za-z0-9]{20,}"),
    ("npm token", _EDGE + r"npm_[A-Za-z0-9]{30,}"),
    ("PyPI token", _EDGE + r"pypi-[A-Za-z0-9_-]{40,}"),
)

_AROUND: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("authorization", re.compile(r"\bBearer\s+((?=\S*\d)[A-Za-z0-9._~+/=-]{16,})", re.IGNORECASE)),
    ("authorization", re.compile(r"\bAuthorization\W{1,6}Basic\s+([A-Za-z0-9+/=]{8,})", re.IGNORECASE)),
    ("password", re.compile(r"://[^\s/:@'\"]*:([^\s/@'\"]{3,})@")),
)
"""Secrets that only what stands around them tells; the group is what is masked."""

_MASK = re.compile(r"\[masked: [^\]\n]*\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A secret in a text: what it is, and from which character to which."""

    label: str
    start: int
    end: int


class Redactor:
    """Replaces secrets by `[masked: what it was]`. environ: whose values are looked for, also as JSON, HTML, an
    address or base64 would write them. What only the shape of a token tells is found where it stands as it is."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        values = {value: name for name, value in environ.items() if _is_secret(name, value)}
        written = {form: label for value, name in values.items() for form, label in _forms(value, name).items()}
        # The longest first, so that a value that contains another one is masked whole.
        self._names = dict(sorted({**written, **values}.items(), key=lambda item: -len(item[0])))
        parts = [f"(?P<env>{'|'.join(map(re.escape, self._names))})"] if self._names else []
        self._labels: dict[str, str] = {}
        for index, (label, shape) in enumerate(_SHAPES):
            self._labels[f"s{index}"] = label
            parts.append(f"(?P<s{index}>{shape})")
        self._pattern = re.compile("|".join(parts), re.DOTALL)

    def secrets(self, text: str) -> Iterator[Secret]:
        """What is masked in a text, in order."""
        found = [
            Secret(label=self._label(match), start=match.start(), end=match.end())
            for match in self._pattern.finditer(text)
        ]
        masks = [match.span() for match in _MASK.finditer(text)]
        for label, pattern in _AROUND:
            for match in pattern.finditer(text):
                start, end = match.span(1)
                if not any(start < other_end and other < end for other, other_end in masks):
                    found.append(Secret(label=label, start=start, end=end))
        return _apart(sorted(found, key=lambda secret: (secret.start, -secret.end)))

    def text(self, text: str) -> str:
        parts: list[str] = []
        at = 0
        for secret in self.secrets(text):
            parts += [text[at : secret.start], f"[masked: {secret.label}]"]
            at = secret.end
        return "".join((*parts, text[at:])) if parts else text

    def value(self, value: object) -> Any:
        """A JSON value with every text in it masked, names of fields included."""
        match value:
            case str():
                return self.text(value)
            case list():
                return [self.value(item) for item in cast("list[object]", value)]
            case dict():
                fields = cast("dict[str, object]", value)
                return {self.text(name): self.value(item) for name, item in fields.items()}
            case _:
                return value

    def summary(self, summary: SessionSummary) -> SessionSummary:
        """What a person named and noted may hold a secret, too. The title is made again from the masked text."""
        return replace(
            summary,
            title="",
            name=self.text(summary.name),
            workspace=self.text(summary.workspace),
            agent=self.text(summary.agent),
            models=tuple(map(self.text, summary.models)),
            tags=tuple(map(self.text, summary.tags)),
            note=self.text(summary.note),
        )

    def row(self, line: bytes, is_delta: bool) -> bytes:
        """An event as it is stored. The text of a delta stays: a secret may be cut in two there, so it is to be masked
        by whoever joins the pieces."""
        if not is_delta:
            return self.json(line)
        event: dict[str, Any] = json.loads(line)
        masked = {**self.value(event), **({"text": event["text"]} if "text" in event else {})}
        return json.dumps(masked, ensure_ascii=False).encode("utf-8", "replace")

    def json(self, line: bytes) -> bytes:
        """A JSON text with its texts masked: what an escape hides from a search in the text is found in the value."""
        masked = json.dumps(self.value(json.loads(line)), ensure_ascii=False, separators=(",", ":"))
        return masked.encode("utf-8", "replace")

    def _label(self, found: re.Match[str]) -> str:
        group = found.lastgroup or ""
        return self._names.get(found[0], "") if group == "env" else self._labels.get(group, "")


def _apart(found: list[Secret]) -> Iterator[Secret]:
    """Two that overlap are one, called what the first one is."""
    last: Secret | None = None
    for secret in found:
        if last is not None and secret.start < last.end:
            last = replace(last, end=max(last.end, secret.end))
            continue
        if last is not None:
            yield last
        last = secret
    if last is not None:
        yield last


def _forms(value: str, name: str) -> dict[str, str]:
    """How a value may be written where it went through something else, and what to call that."""
    data = value.encode("utf-8", "replace")
    found = {form: name for form in (*_escaped(value), " ".join(value.split())) if form != value}
    found |= {form: name for form in (html.escape(value), quote(value), quote(value, safe="")) if form != value}
    for shift in range(3):
        # The first and the last letters depend on what stands beside it.
        code = base64.b64encode(b"\0" * shift + data).decode().rstrip("=")
        inner = code[(0, 2, 3)[shift] : len(code) - bool((len(data) + shift) % 3)]
        if len(inner) >= SHORTEST_VALUE:
            found |= {inner: f"{name}, base64", inner.replace("+", "-").replace("/", "_"): f"{name}, base64"}
    return found


def _escaped(value: str) -> Iterator[str]:
    """As JSON, and as JSON in JSON."""
    for ascii_only in (True, False):
        once = json.dumps(value, ensure_ascii=ascii_only)[1:-1]
        yield from (once, json.dumps(once, ensure_ascii=ascii_only)[1:-1])


def _is_secret(name: str, value: str) -> bool:
    if len(value.strip()) < SHORTEST_VALUE or not _SECRET_NAME.search(name) or _HARMLESS_NAME.search(name):
        return False
    if _HARMLESS_VALUE.fullmatch(value.strip()):
        return False
    # A path to a file with a secret is not one; real keys that start with a slash have no second one soon after.
    return not re.match(r"(?:~|\.{0,2})/[\w.-]+/", value)
