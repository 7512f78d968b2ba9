"""What is refused while an answer is written, and after it."""

from __future__ import annotations

import pytest

from hrm_ray.evaluate.go_check import GoCheck
from hrm_ray.model.generate import Written
from hrm_ray.prepare import edits
from hrm_ray.prepare.tokenizer import Control, Tokenizer

BEFORE = "func Add(a, b int) int {\n\treturn a - b\n}"
START = 7


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.train([BEFORE, f"{BEFORE}\n\n{BEFORE}"] * 4, 520)


@pytest.fixture
def edit(tokenizer: Tokenizer) -> GoCheck:
    return GoCheck([Control.BEFORE, *edits.numbered(BEFORE, START, tokenizer)], BEFORE, tokenizer)


def written(tokenizer: Tokenizer, after: str, plan: str = "modify function Add") -> Written:
    code = edits.encode(edits.hunks(BEFORE, after), START, tokenizer)
    return Written(edits.encode_plan(plan, START, tokenizer), code)


@pytest.mark.parametrize(
    ("ids", "token", "follows"),
    [
        ([], 5, True),
        ([5, 5], 5, True),
        ([5, 5, 5], 5, False),
        ([5, 5, 5], 6, True),
        ([1, 5, 6, 5, 6, 5, 6, 5], 6, False),
        ([5, 6, 5, 6, 5, 6, 5], 7, True),
        ([1, 2, 3] * 3 + [1, 2], 3, False),
        ([1, 2, 3] * 2 + [9, 1, 2], 3, True),
    ],
)
def test_a_stretch_stands_three_times_in_a_row_and_no_more(
    ids: list[int], token: int, follows: bool, edit: GoCheck
) -> None:
    assert edit.follows(ids, token) is follows


def test_an_edit_ends_when_it_is_valid_and_a_change(tokenizer: Tokenizer, edit: GoCheck) -> None:
    right, copy = written(tokenizer, BEFORE.replace("-", "+")), written(tokenizer, BEFORE)
    broken = written(tokenizer, BEFORE.replace("b\n", "b)\n"))
    other = written(tokenizer, BEFORE.replace("-", "+"), plan="modify type Add")
    assert [edit.ends(one, last=True) for one in (right, copy, broken, other)] == [True, False, False, False]
    assert [edit.ends(one, last=False) for one in (right, copy, broken, other)] == [True, True, False, False]


def test_lines_of_an_edit_break_at_control_tokens_and_those_of_text_at_line_ends(
    tokenizer: Tokenizer, edit: GoCheck
) -> None:
    whole = GoCheck([Control.PROBLEM], "", tokenizer)
    [*ended], [end, *_], [word, *_] = (tokenizer.encode(text) for text in ("}\n\n", "\n", "return"))
    assert [edit.breaks([word], id_) for id_ in (Control.LINE, Control.END, word)] == [True, True, False]
    assert [whole.breaks(ids, id_) for ids, id_ in (([word], end), (ended, word), ([word], word))] == [
        True,
        True,
        False,
    ]
    assert len(ended) == 1, "a token that ends a line and does not begin with its end"
