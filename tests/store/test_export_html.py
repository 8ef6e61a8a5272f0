"""The page of HTML: all of the session is in it, and whatever a session holds, it runs nothing and loads nothing."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from runner.events import Event, ToolFinished, ToolStarted, TurnFinished
from runner.importing.build import runs_of
from runner.importing.claude_code import read_claude_code
from runner.store import Store
from tests.importing.test_reading import answered, result, said, sample, tool_use
from tests.store.making import Maker, a_call, short_run, write

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
    "time", "nav",
}  # fmt: skip
ALLOWED = {
    "lang", "charset", "http-equiv", "content", "name", "class", "href", "rel", "title", "viewbox", "role",
    "aria-label", "x", "y", "x1", "x2", "y1", "y2", "width", "height", "text-anchor", "style", "start", "id",
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
            assert re.match(r"https?://|mailto:|#m\d+$", value), value
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


def forked(store: Store, secret: str) -> str:
    """A fork after two of four turns, with messages, tags and a note of its own; returns its id."""
    maker = Maker()
    for number in range(4):
        maker.begin_turn()
        if number == 0:
            maker.begin(f"message {number}")
        maker.request()
        call = a_call(number)
        maker.answer(f"answer {number}", (call,))
        maker.propose(call)
        display = {"type": "diff", "path": "tides.py", "diff": "@@ -1 +1 @@\n-2.1\n+1.7\n"}
        maker.add(ToolStarted(call_id=call.call_id, tool="shell"))
        maker.add(ToolFinished(call_id=call.call_id, tool="shell", output="done", display=display))
        maker.add(TurnFinished(tool_calls=1))
    maker.end()
    write(store, maker.events)
    fork = store.fork("session-1", run_id="run-1", turn=2, name=f"again with {secret}")
    for number in range(4):
        own = short_run(f"run-{number + 2}", fork, text=f"go on <b>{number}</b>")
        write(store, own.events)
    store.tag(fork, "tides", "harbour")
    store.set_note(fork, f"not with {secret}")
    return fork


def test_what_a_person_wrote_where_it_was_forked_and_what_was_changed(tmp_path: Path) -> None:
    secret = "ghp_" + "a1B2" * 9
    with Store.open(tmp_path) as store:
        fork = forked(store, secret)
        whole = "".join(store.export(fork, "html"))
        page_to_read = "".join(store.export(fork, "markdown"))
        origin = store.session("session-1").session_id
    page = Page(whole)
    text = " ".join(page.text.split())
    assert secret not in whole
    assert "again with [masked: GitHub token]" in text
    assert "not with [masked: GitHub token]" in text
    assert f"Forked from session {origin}, after turn 2" in text.replace("Forked fromsession", "Forked from session")
    assert [value for tag, name, value in page.attributes if (tag, name) == ("span", "class")].count("tag") == 2
    # What was inherited is folded; the person's messages are listed, and each link leads to one.
    assert page.tags.index("details") < text.index("answer 0")
    assert ("details", "class", "inherited") in page.attributes
    assert "answer 1" in text
    assert "answer 2" not in text
    links = [value for tag, name, value in page.attributes if (tag, name) == ("a", "href")]
    places = [f"#{value}" for tag, name, value in page.attributes if (tag, name) == ("section", "id")]
    assert links == places
    assert len(links) == 5
    assert ("span", "class", "del") in page.attributes
    assert ("span", "class", "add") in page.attributes
    assert set(page.tags) <= ALLOWED_TAGS
    # The page of Markdown says the same.
    wanted = [
        "again with [masked: GitHub token]",
        "- Tags: harbour, tides",
        f"- Forked from: session {origin}, after turn 2",
    ]
    wanted += [
        "> not with [masked: GitHub token]",
        "*From the session that",
        "answer 1",
        "*From here on its own:*",
        "go on",
    ]
    at = [page_to_read.find(words) for words in wanted]
    assert -1 not in at, wanted[at.index(-1)]
    assert at == sorted(at)
    assert secret not in page_to_read
