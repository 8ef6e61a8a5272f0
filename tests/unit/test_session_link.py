"""Links to sessions: written, read again, and refused where they are none."""

from __future__ import annotations

import argparse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import ConfigError
from runner.state import RunState
from tests.tui.transcript_runs import Feed
from tui.links import run_of
from tui.session_link import SessionLink, read_link, session_of, take_links

NAMES = st.text("abcdefABCDEF0123456789_-.~", min_size=1, max_size=40)


@given(session_id=NAMES, run_id=NAMES, seq=st.integers(1, 10**12 - 1), placed=st.booleans())
def test_a_link_is_read_as_it_was_written(session_id: str, run_id: str, seq: int, placed: bool) -> None:
    link = SessionLink(session_id, run_id, seq) if placed else SessionLink(session_id)
    assert read_link(f" {link}\n") == link


@pytest.mark.parametrize(
    "text",
    [
        "quarterdeck:",
        "quarterdeck://session/",
        "quarterdeck://session/a b",
        "QUARTERDECK://session/x",
        "quarterdeck://session/x#",
        "quarterdeck://session/x#run",
        "quarterdeck://session/x#run.a",
        "quarterdeck://other/x",
        "quarterdeck://session/x#run.1?y",
        "quarterdeck://session/\x1b[31m",
    ],
)
def test_a_wrong_one_says_what_a_link_looks_like(text: str) -> None:
    with pytest.raises(ConfigError, match="is no link to a session") as error:
        session_of(text)
    assert "\x1b" not in str(error.value)
    assert "quarterdeck://session/ID" in str(error.value)


def test_commands_take_links_where_they_take_ids() -> None:
    args = argparse.Namespace(id="quarterdeck://session/one#run.3", a="0197", session=None, name="quarterdeck:x")
    take_links(args)
    assert (args.id, args.a, args.session, args.name) == ("one", "0197", None, "quarterdeck:x")


def test_an_item_is_in_the_run_that_has_it_also_where_ids_repeat() -> None:
    runs: list[RunState] = []
    for name in ("run-1", "run-2"):
        feed = Feed(name)
        feed.begin()
        feed.call("call-1", "shell", {"command": name})
        runs.append(feed.state)
    for run in runs:
        for item in (*run.settled, *run.live):
            assert run_of(runs, item) == run.run_id
