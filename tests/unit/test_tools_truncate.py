"""Cutting outputs: properties over any text and any limit."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from runner.tools.collect import Decoder, Kept
from runner.tools.truncate import encodable, truncate

TEXTS = st.text(alphabet=st.sampled_from("ab\n é€𝄞"), max_size=400)


@given(TEXTS, st.integers(min_value=0, max_value=500))
def test_a_cut_text_fits_and_its_parts_are_those_of_the_whole(text: str, limit: int) -> None:
    cut = truncate(text, limit)
    size = len(text.encode())
    assert len(cut.text.encode()) <= limit
    if size <= limit:
        assert (cut.text, cut.left_out) == (text, 0)
        return
    marker = re.search(r"\n\[\.\.\. ([\d,]+) of ([\d,]+) bytes left out here \.\.\.\]\n", cut.text)
    if marker is None:
        assert text.startswith(cut.text)
        assert cut.left_out == size - len(cut.text.encode())
        return
    head, tail = cut.text[: marker.start()], cut.text[marker.end() :]
    assert text.startswith(head)
    assert text.endswith(tail)
    assert cut.left_out == size - len(head.encode()) - len(tail.encode())
    assert int(marker[1].replace(",", "")) == cut.left_out
    assert int(marker[2].replace(",", "")) == size


@given(st.text(alphabet=st.characters(codec=None), max_size=50))
def test_encodable_text_can_be_stored_and_good_text_is_untouched(text: str) -> None:
    encodable(text).encode("utf-8")
    if not any("\ud800" <= character <= "\udfff" for character in text):
        assert encodable(text) == text


@given(st.binary(max_size=300), st.lists(st.integers(min_value=1, max_value=7), max_size=60))
def test_decoding_in_pieces_is_decoding_at_once(data: bytes, sizes: list[int]) -> None:
    decoder, text, rest = Decoder(), "", data
    for size in sizes:
        text += decoder.feed(rest[:size])
        rest = rest[size:]
    text += decoder.feed(rest) + decoder.finish()
    assert text == data.decode("utf-8", "replace")


@given(st.lists(TEXTS, max_size=20), st.integers(min_value=0, max_value=300), st.integers(min_value=1, max_value=100))
def test_what_is_kept_is_a_head_and_a_tail_within_the_cap(pieces: list[str], cap: int, tail: int) -> None:
    kept = Kept(cap, tail)
    for piece in pieces:
        kept.add(piece)
    whole, text = "".join(pieces), kept.text()
    assert kept.total == len(whole.encode())
    marker = re.search(r"\n\[\.\.\. ([\d,]+) bytes of output were not kept \.\.\.\]\n", text)
    if marker is None:
        assert text == whole
        return
    head, end = text[: marker.start()], text[marker.end() :]
    assert whole.startswith(head)
    assert whole.endswith(end)
    assert len(head.encode()) <= max(cap - tail, 0)
    assert len(end.encode()) < tail + max((len(piece.encode()) for piece in pieces), default=0)
    assert int(marker[1].replace(",", "")) == kept.total - len(head.encode()) - len(end.encode())
