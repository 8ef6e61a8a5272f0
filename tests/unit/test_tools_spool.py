"""The ring that a background process's output is kept in."""

from __future__ import annotations

from runner.tools.spool import TAIL, Spool


def test_a_ring_gives_back_what_was_written_last() -> None:
    spool = Spool(cap=100_000)
    said = "".join(f"{number}é\n" for number in range(40_000))
    for at in range(0, len(said), 977):
        spool.add(said[at : at + 977])
    data = said.encode()
    assert spool.total == len(data)
    piece = spool.read(0, 10**9)
    assert (piece.start, piece.end, piece.lost) == (len(data) - 100_000, len(data), len(data) - 100_000)
    assert piece.text == data[-100_000:].decode("utf-8", "replace")
    middle = spool.read(len(data) - 70_000, 10**9)
    assert (middle.text, middle.lost) == (data[-70_000:].decode("utf-8", "replace"), 0)
    assert spool.read(len(data), 100).text == ""
    spool.close()
    assert spool.read(0, 10**9).text == data[-TAIL:].decode("utf-8", "replace")


def test_one_text_that_is_larger_than_the_ring() -> None:
    spool = Spool(cap=1000)
    spool.add("first")
    spool.add("x" * 70_000 + "end")
    assert spool.read(0, 500).text == "x" * 497 + "end"
    spool.add("more")
    assert spool.read(spool.total - 1000, 1000).text == "x" * 993 + "endmore"
