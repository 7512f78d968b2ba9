"""An edit gives the declaration after exactly, as hunks and as tokens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrm_ray.prepare import edits
from hrm_ray.prepare.edits import Hunk
from hrm_ray.prepare.tokenizer import FIRST_NUMBER, FIRST_TEXT, NUMBERS, Control, Tokenizer

LINES = st.sampled_from(["", "}", "\t\treturn x", "\tif err != nil {", "<|line|>", "<|3|>", "a\r", " ", "世"])
TEXTS = st.lists(LINES, min_size=1, max_size=NUMBERS - 1).map("\n".join)


@given(before=TEXTS, after=TEXTS, id_=st.text())
def test_an_edit_gives_the_declaration_after(tokenizer: Tokenizer, before: str, after: str, id_: str) -> None:
    start = edits.offset(id_, before)
    prefix = [Control.BEFORE, *edits.numbered(before, start, tokenizer)]
    ids = edits.encode(edits.hunks(before, after), start, tokenizer)
    assert edits.texts([], ids, prefix, before, tokenizer) == ("", after)
    assert (ids == []) == (before == after)


def test_a_deletion_and_an_empty_line_differ(tokenizer: Tokenizer) -> None:
    for after, lines in (("a\nc", ()), ("a\n\nc", ("",))):
        found = edits.hunks("a\nb\nc", after)
        assert found == [Hunk(1, 2, lines)]
        assert edits.decode(edits.encode(found, 7, tokenizer), 7, tokenizer) == found


def test_each_line_stands_behind_its_number_and_the_end_has_one(tokenizer: Tokenizer) -> None:
    ids = edits.numbered("a\n\nb", 5, tokenizer)
    assert [id_ - FIRST_NUMBER for id_ in ids if id_ < FIRST_TEXT] == [5, 6, 7, 8]
    assert edits.numbers([Control.BEFORE, *ids]) == range(FIRST_NUMBER + 5, FIRST_NUMBER + 9)
    assert edits.numbers([Control.ANCHOR, *tokenizer.encode("a")]) == range(0)


def test_numbering_begins_anywhere_it_fits() -> None:
    starts = {edits.offset(str(id_), "a\nb") for id_ in range(5000)}
    assert starts == set(range(NUMBERS - 2))
    assert edits.offset("x", "\n" * (NUMBERS - 2)) == 0


def test_more_lines_than_numbers_do_not_fit() -> None:
    assert edits.fits("\n" * (NUMBERS - 2))
    assert not edits.fits("\n" * (NUMBERS - 1))


def test_a_hunk_without_its_end_is_left_out(tokenizer: Tokenizer) -> None:
    ids = edits.encode([Hunk(0, 1, ("x",))], 0, tokenizer)
    assert edits.decode([*ids, FIRST_NUMBER + 2], 0, tokenizer) == [Hunk(0, 1, ("x",))]
    assert edits.decode([FIRST_NUMBER], 0, tokenizer) == []


@pytest.mark.parametrize("plan", ["modify function f", "modify type T\n@0-1 add field x int\n@3-3 change layout", ""])
def test_the_places_of_a_plan_are_numbers(plan: str, tokenizer: Tokenizer) -> None:
    ids = edits.encode_plan(plan, 9, tokenizer)
    places = [id_ - FIRST_NUMBER - 9 for id_ in ids if id_ < FIRST_TEXT]
    assert places == ([0, 1, 3, 3] if "@" in plan else [])
    assert edits.decode_plan(ids, 9, tokenizer) == plan
