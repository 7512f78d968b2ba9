"""The grammar allows every edit, and nothing that cannot be read."""

from __future__ import annotations

import random
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from hrm_ray.model.grammar import Grammar
from hrm_ray.prepare import edits
from hrm_ray.prepare.tokenizer import FIRST_NUMBER, FIRST_TEXT, Control, Tokenizer

LINES = st.sampled_from(["", "}", "\t\treturn x", "\tif err != nil {"])
TEXTS = st.lists(LINES, min_size=1, max_size=40).map("\n".join)
NUMBERS = range(FIRST_NUMBER + 3, FIRST_NUMBER + 8)


def follow(grammar: Grammar, ids: list[int]) -> None:
    for id_ in ids:
        assert grammar.text if id_ >= FIRST_TEXT else id_ in grammar.controls, id_
        grammar.take(id_)


@given(before=TEXTS, after=TEXTS)
def test_every_edit_and_its_plan_are_allowed(before: str, after: str) -> None:
    if before == after:
        return
    tokenizer = Tokenizer.train([], FIRST_TEXT + 256)
    start = edits.offset("x", before)
    hunks = edits.hunks(before, after)
    plan = "modify function f" + "".join(f"\n@{hunk.first}-{hunk.end} change layout" for hunk in hunks)
    grammar = Grammar(edits.numbers(edits.numbered(before, start, tokenizer)))
    follow(grammar, [*edits.encode_plan(plan, start, tokenizer), Control.CODE])
    follow(grammar, [*edits.encode(hunks, start, tokenizer), Control.END])


@given(seed=st.integers(0, 10_000))
def test_whatever_it_allows_applies(seed: int) -> None:
    tokenizer, chance = Tokenizer.train([], FIRST_TEXT + 256), random.Random(seed)
    before = "a\nb\nc\nd"
    grammar, ids = Grammar(NUMBERS), list[int]()
    grammar.take(Control.CODE)
    while len(ids) < 40:
        choices = [*grammar.controls, *([FIRST_TEXT] if grammar.text else [])]
        token = chance.choice(choices)
        grammar.take(token)
        if token == Control.END:
            break
        ids.append(token)
    hunks = edits.decode(ids, NUMBERS.start - FIRST_NUMBER, tokenizer)
    assert all(0 <= hunk.first <= hunk.end <= 4 for hunk in hunks)
    assert all(hunk.first < hunk.end or hunk.lines for hunk in hunks[:-1])
    assert all(one.end < other.first for one, other in pairwise(hunks))
    edits.apply(before, hunks)


def test_a_whole_answer_is_text_up_to_its_end() -> None:
    grammar = Grammar(range(0))
    assert grammar.text and list(grammar.controls) == [Control.CODE]
    follow(grammar, [FIRST_TEXT, Control.CODE, FIRST_TEXT])
    assert grammar.text and list(grammar.controls) == [Control.END] == list(grammar.ends)


def test_an_insertion_needs_a_line_and_a_deletion_none() -> None:
    insertion, deletion = Grammar(NUMBERS), Grammar(NUMBERS)
    follow(insertion, [Control.CODE, NUMBERS[1], NUMBERS[1]])
    follow(deletion, [Control.CODE, NUMBERS[1], NUMBERS[2]])
    assert list(insertion.controls) == [Control.LINE]
    assert list(deletion.controls) == [Control.LINE, Control.END, *NUMBERS[3:]]


def test_nothing_ends_a_hunk_between_the_two_numbers_of_its_place() -> None:
    grammar = Grammar(NUMBERS)
    follow(grammar, [Control.CODE, NUMBERS[0]])
    assert list(grammar.ends) == []
    follow(grammar, [NUMBERS[1]])
    assert list(grammar.ends) == [Control.END, *NUMBERS]


def test_a_place_or_the_code_follows_the_header_of_a_plan() -> None:
    grammar = Grammar(NUMBERS)
    grammar.begin([FIRST_TEXT, FIRST_TEXT + 1])
    assert not grammar.text
    assert [*grammar.controls] == [Control.CODE, *NUMBERS]
    grammar.take(NUMBERS.start)
    grammar.take(NUMBERS.start)
    assert grammar.text
    whole = Grammar(range(0))
    whole.begin([FIRST_TEXT])
    assert whole.text
    coding = Grammar(NUMBERS)
    coding.begin([FIRST_TEXT, *NUMBERS[:2], Control.CODE])
    assert [*coding.controls] == [*NUMBERS]
