"""The page of HTML: all of the session is in it, and whatever a session holds, it runs nothing and loads nothing."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from runner.events import Event
from runner.importing.build import runs_of
from runner.importing.claude_code import read_claude_code
from runner.store import Store
from tests.importing.test_reading import answered, result, said, sample, tool_use

HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "</pre></details><iframe src='https://evil.example'></iframe>",
    "![picture](https://evil.example/p.png)",
    "[click](javascript:alert(1)) [data](data:text/html,<script>alert(1)</script>) [file](file:///etc/passwd)",
    "<https://evil.example/auto> https://evil.example/plain",
    '[ref]: javascript:alert(1)\n\n[ref] [x](https://a.example "onmouseover=alert(1)")',
    "| a | <b onclick=alert(1)>b</b> |\n|---|---|\n| <style>*{background:url(https://evil.example)}</style> | c |",
    "&lt;script&gt; &#60;script&#62; <!-- <script> -->",
    "\x1b]8;;https://evil.example\x07link\x1b]8;;\x07 \u202eright to left\x00",
)
ALLOWED_TAGS = {
    "html", "head", "meta", "title", "style", "body", "h1", "h2", "h3", "h4", "h5", "h6", "dl", "dt", "dd", "section",
    "p", "div", "pre", "code", "details", "summary", "em", "strong", "s", "ul", "ol", "li", "a", "span", "table",
    "thead", "tbody", "tr", "th", "td", "blockquote", "br", "hr", "svg", "rect", "line", "text", "footer",
}  # fmt: skip
ALLOWED = {
    "lang", "charset", "http-equiv", "content", "name", "class", "href", "rel", "title", "viewbox", "role",
    "aria-label", "x", "y", "x1", "x2", "y1", "y2", "width", "height", "text-anchor", "style", "start",
}  # fmt: skip


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


def export(folder: Path, runs: list[list[Event]], *, redact: bool = True) -> str:
    with Store.open(folder) as store:
        done = store.bring_in("claude-code", runs)
        return "".join(store.export(done.session_id, "html", redact))


def test_all_of_a_session_is_on_the_page(tmp_path: Path) -> None:
    page = Page(export(tmp_path, list(runs_of(read_claude_code(sample("claude-code"))))))
    for words in ("please run the probe", "now write a file", "hello-from-logprobe", "Imported from", "harbor kernel"):
        assert words in page.text
    assert page.tags.count("details") == 3 + 3  # calls, and reasoning of three responses
    bars = [value for tag, name, value in page.attributes if (tag, name) == ("rect", "class") and value != "track"]
    assert (bars.count("model"), bars.count("tool")) == (5, 3)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_nothing_on_the_page_runs_or_loads(tmp_path: Path, text: str) -> None:
    call = {**tool_use("a"), "name": f"Bash {text}", "input": {text: text}}
    lines = [
        said(text, cwd=f"/folder {text}"),
        answered("r1", {"type": "thinking", "thinking": text}, {"type": "text", "text": text}, call, model=text),
        result("a", content=text),
        answered("r2", {"type": "text", "text": f"- {text}\n\n> {text}\n\n    {text}\n\n# {text}\n\n`{text}`"}),
    ]
    whole = export(tmp_path, list(runs_of(read_claude_code(lines))))
    page = Page(whole)
    assert set(page.tags) <= ALLOWED_TAGS
    assert page.tags.count("style") == 1
    for tag, name, value in page.attributes:
        assert name in ALLOWED, (tag, name, value)
        if name == "href":
            assert re.match(r"https?://|mailto:", value), value
        if name == "style":
            assert re.fullmatch(r"text-align:\s*(left|right|center);?", value), value
        assert name == "href" or tag == "meta" or "url(" not in value
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", whole)


def test_the_policy_forbids_everything_but_the_pages_own_style(tmp_path: Path) -> None:
    whole = export(tmp_path, list(runs_of(read_claude_code(sample("claude-code")))))
    style = re.search(r"<style>(.*?)</style>", whole, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    (policy,) = [
        value for tag, name, value in Page(whole).attributes if (tag, name) == ("meta", "content") and "src" in value
    ]
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}';")
    assert "url(" not in style[1]
    assert "@import" not in style[1]


def test_secrets_are_masked_unless_told_otherwise(tmp_path: Path) -> None:
    secret = "sk-" + "a1B2" * 8
    runs = list(runs_of(read_claude_code([said(f"my key is {secret}"), answered("r", {"type": "text", "text": "ok"})])))
    masked, plain = export(tmp_path / "a", runs), export(tmp_path / "b", runs, redact=False)
    assert secret not in masked
    assert "What looked like a secret is masked." in masked
    assert secret in plain
    assert "Nothing was masked" in plain
