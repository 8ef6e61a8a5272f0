"""The exported page in a real browser: nothing in it runs or loads; it is read in light and dark, wide and narrow."""

from __future__ import annotations

import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

from runner.events import (
    ApprovalRequested,
    ApprovalResolved,
    ModelResponded,
    Notification,
    PersonCommandFinished,
    PersonCommandStarted,
    ToolFinished,
    ToolStarted,
)
from runner.messages import ToolCall
from runner.store import Store
from runner.usage import Usage
from tests.review.browser import Browser, browser
from tests.store.making import Maker, write

MARK = "document.documentElement.setAttribute('data-ran',1);document.title='ran'"
HOSTILE = (
    f"<script>{MARK}</script>",
    f'<img src=x onerror="{MARK}"><img src="http://img.example/a.png" srcset="https://img.example/b.png 2x">',
    f'"><svg onload="{MARK}"><use href="http://svg.example/x.svg#a"/></svg>',
    f'\'><details open ontoggle="{MARK}">',
    "</pre></code></details></div></section></style></title></head><script src=http://script.example/x.js></script>",
    "<style>*{background:url(http://css.example/x)}@import 'http://css.example/y';</style>",
    "<meta http-equiv=refresh content='0;url=http://refresh.example/'><base href=http://base.example/>",
    f"<iframe src=http://frame.example/ srcdoc='<script>parent.{MARK}</script>'></iframe>",
    "<link rel=stylesheet href=http://link.example/x.css><link rel=preload as=image href=http://link.example/p.png>",
    "<video src=http://video.example/ autoplay poster=http://video.example/p></video><object data=http://o.example/>",
    f"[a](javascript:{MARK}) [b](JaVaScRiPt:{MARK}) [c](data:text/html,<script>{MARK}</script>) <javascript:{MARK}>",
    '![p](http://md.example/p.png) ![q][r]\n\n[r]: http://md.example/q.png "onload=x"',
    f'[x](http://a.example "\\" onmouseover=\\"{MARK}") [y](http://a.example/"onclick="{MARK})',
    "`<b>` **<i onclick=x>** | <u> |\n|---|\n| <form action=http://form.example/><input autofocus onfocus=x> |",
    "<!-- --!> <![CDATA[ <? ?> &lt;script&gt; &#60;script&#62; &amp;lt;",
    "\x00\x1b]8;;http://esc.example\x07x\x1b]8;;\x07 \u202eevil\u2066 \u2028 \ufeff \ud800 \x85 \x7f",
)


def hostile_session(store: Store) -> str:
    """Every kind of hostile text in every field that a page may show."""
    session_id = "0" * 8 + "-hostile"
    for number, text in enumerate(HOSTILE):
        maker = Maker(run_id=f"run-{number}", session_id=session_id, agent=f"agent {text}")
        maker.begin(text, model=text, workspace=f"/folder/{text}")
        maker.begin_turn()
        maker.request()
        call = ToolCall(call_id=f"c{number}", tool=text, arguments={text: text, "path": text})
        maker.add(ModelResponded(model=text, text=f"{text}\n\n- {text}", reasoning=text, tool_calls=(call,)))
        maker.propose(call)
        asked = f"r{number}"
        maker.add(ApprovalRequested(request_id=asked, call_id=call.call_id, tool=text, why=text, preview={text: text}))
        maker.add(
            ApprovalResolved(
                request_id=asked, call_id=call.call_id, tool=text, decision="allow", reason=text, rule=text
            )
        )
        maker.add(ToolStarted(call_id=call.call_id, tool=text))
        diff = {"type": "diff", "path": text, "diff": f"@@ -1 +1 @@\n-{text}\n+{text}\n"}
        maker.add(ToolFinished(call_id=call.call_id, tool=text, output=text, display=diff))
        maker.add(Notification(level="info", text=text))
        maker.add(PersonCommandStarted(command_id=f"p{number}", command=text, cwd=text))
        maker.add(
            PersonCommandFinished(command_id=f"p{number}", command=text, status="ended", exit_code=0, output=text)
        )
        maker.end()
        write(store, maker.events)
        store.set_note(session_id, text)
    store.rename_session(session_id, "".join(HOSTILE)[:180])
    for number in range(4):
        store.tag(session_id, f"<img/src=x/onerror={number}>")
    return session_id


def long_session(store: Store) -> str:
    """What a page has of all kinds of things, with lines that are longer than a phone is wide."""
    wide = "a line of code that is much wider than any phone " * 6
    answer = f"# Found\n\n| harbour | {'where from ' * 9} |\n|---|---|\n| Oslo | {'x' * 90} |\n\n```\n{wide}\n```\n"
    for number in range(5):
        maker = Maker(run_id=f"long-{number}", session_id="session-long")
        maker.begin(f"message {number} https://tides.example/{'x' * 300}", workspace="/home/ada/" + "deep/" * 60)
        maker.begin_turn()
        maker.request()
        call = ToolCall(call_id=f"l{number}", tool="shell", arguments={"command": "y" * 400})
        maker.answer("I look.", (call,), Decimal("0.01"), usage=Usage(input=9, output=9))
        maker.propose(call)
        maker.add(ToolStarted(call_id=call.call_id, tool="shell"))
        diff = {"type": "diff", "path": "tides.py", "diff": f"@@ -1 +1 @@\n-{wide}\n+{wide}\n"}
        maker.add(ToolFinished(call_id=call.call_id, tool="shell", output=f"{wide}\n{'z' * 500}", display=diff))
        maker.begin_turn()
        maker.request()
        maker.answer(answer)
        maker.end()
        write(store, maker.events)
    store.set_note("session-long", "n" * 200)
    return "session-long"


@contextmanager
def listening() -> Generator[tuple[int, list[bytes]]]:
    """A port on which whoever comes is noted: the browser is told that every host is there."""
    came: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    peer, _ = server.accept()
                except OSError:
                    return
                with peer:
                    peer.settimeout(1)
                    try:
                        came.append(peer.recv(4000))
                    except OSError:
                        came.append(b"")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield server.getsockname()[1], came
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


def test_the_page_in_a_real_browser(tmp_path: Path) -> None:
    pages = tmp_path / "pages"
    pages.mkdir()
    with Store.open(tmp_path) as store:
        for name, session_id in (("hostile", hostile_session(store)), ("long", long_session(store))):
            text = "".join(store.export(session_id, "html"))
            (pages / f"{name}.html").write_text(text, encoding="utf-8", errors="strict")
    (pages / "bait.html").write_text(f"<img src=http://bait.example/a.png><script>{MARK}</script>", encoding="utf-8")
    with listening() as (port, came), browser(tmp_path, f"--host-resolver-rules=MAP * 127.0.0.1:{port}") as page:
        nothing_runs_or_loads(page, pages / "hostile.html", came)
        for width in (1280, 400):
            for scheme in ("light", "dark"):
                page.resize(width, 900, "light" if scheme == "light" else "dark")
                reads_well(page, pages / "long.html", dark=scheme == "dark", phone=width == 400)
        calls_unfold(page, pages / "long.html")
        # All of this would have seen a page that does load and run something.
        page.open(pages / "bait.html")
        assert "http://bait.example/a.png" in page.requested
        assert page.look("document.title") == "ran"
        assert any(b"bait.example" in request for request in came)


def nothing_runs_or_loads(page: Browser, file: Path, came: list[bytes]) -> None:
    page.open(file)
    page.look("document.querySelectorAll('details').forEach(each => each.open = true)")
    # Whatever a person may touch does nothing but lead somewhere when it is a link.
    page.look(
        "document.querySelectorAll('body *:not(a)').forEach(each => { for (const kind of"
        " ['click', 'mouseover', 'focus', 'toggle', 'error', 'load']) each.dispatchEvent(new Event(kind)); })"
    )
    assert page.look("document.documentElement.getAttributeNames().join()") == "lang"
    assert page.look("document.title") != "ran"
    assert (
        page.look("document.querySelectorAll('script, iframe, img, object, embed, link, base, form, video').length")
        == 0
    )
    assert page.look("document.querySelectorAll('style').length") == 1
    handlers = "[...document.querySelectorAll('*')].flatMap(e => e.getAttributeNames()).filter(n => n.startsWith('on'))"
    assert page.look(f"{handlers}.join()") == ""
    links = page.look("[...document.querySelectorAll('a[href]')].map(each => each.protocol + each.hash)")
    assert links
    assert {link.partition("#")[0] for link in links} <= {"http:", "https:", "mailto:", "file:"}
    assert all("#m" in link for link in links if link.startswith("file:"))
    assert page.look("document.body.innerText.includes('<script>document.')")
    assert page.look("document.querySelectorAll('section.you').length") == len(HOSTILE)
    assert page.requested == [file.as_uri()]
    assert page.complaints == []
    # The browser itself asks its makers for the time and the like; a host of the page would be named in the open.
    assert [request for request in came if b".example" in request] == []


def reads_well(page: Browser, file: Path, *, dark: bool, phone: bool) -> None:
    page.open(file)
    for opened in ("false", "true"):
        page.look(f"document.querySelectorAll('details').forEach(each => each.open = {opened})")
        wide = page.look("[document.scrollingElement.scrollWidth, innerWidth]")
        assert wide[0] <= wide[1] == (400 if phone else 1280), wide
        over = (
            "[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1"
            " && !e.closest('pre, table, .scroll')).map(e => e.tagName).join()"
        )
        assert page.look(over) == ""
    page.look("scrollTo(0, 0)")
    corner = page.picture(8, 8)
    assert all((sum(pixel) < 150) == dark and (sum(pixel) > 700) == (not dark) for pixel in corner), corner[:3]
    for what in ("body", ".note", ".who", "section.you", "summary", "a[href]", "dt", ".ok", "pre.diff .add"):
        assert page.look(CONTRAST % what) >= 4.3, (what, dark)
    sizes = page.look("[...document.querySelectorAll('p, li, pre, dd')].map(e => getComputedStyle(e).fontSize)")
    assert min(float(size.removesuffix("px")) for size in sizes) >= 12


CONTRAST = """(() => {
  const rgb = text => text.match(/[0-9.]+/g).map(Number);
  const light = c => c.slice(0, 3).map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const element = document.querySelector('%s');
  let behind = element;
  while (rgb(getComputedStyle(behind).backgroundColor)[3] === 0) behind = behind.parentElement;
  const [a, b] = [light(rgb(getComputedStyle(element).color)), light(rgb(getComputedStyle(behind).backgroundColor))];
  return (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
})()"""
"""How well the text of an element is told from what lies behind it, as WCAG 2 counts it."""


def calls_unfold(page: Browser, file: Path) -> None:
    page.open(file)
    assert page.look("document.querySelector('.step > details').open") is False
    shown = "document.querySelector('.step > details pre').checkVisibility()"
    assert page.look(shown) is False
    page.click(".step > details > summary")
    assert page.look("document.querySelector('.step > details').open") is True
    assert page.look(shown) is True
    page.click(".step > details > summary")
    assert page.look(shown) is False
