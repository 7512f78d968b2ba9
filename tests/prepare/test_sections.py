"""Boundaries are data, and what does not fit is shortened in the stated order."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any, get_args

import pytest

from hrm_ray import settings
from hrm_ray.config import Budgets
from hrm_ray.config.prepare import Form
from hrm_ray.prepare import edits, sections
from hrm_ray.prepare.examples import Example
from hrm_ray.prepare.judgements import Decision, Judgement
from hrm_ray.prepare.tokenizer import CONTROL, FIRST_NUMBER, FIRST_TEXT, Control, Tokenizer
from tests.prepare.factory import EXAMPLE, example

LARGE = 10_000
HALF = Budgets(problem=0.5, outline=0.5, anchor=0.5, prefix=0.5)
"""No part has a bound of its own."""
SECTIONS = ("problem_ids", "context_ids", "plan_ids", "code_ids")
ADDED = example(change="added", before="", anchor="type Engine struct{}")


def whole(given: Example, tokenizer: Tokenizer) -> dict[str, Any]:
    columns = sections.solve(given, sections.prefix(given, tokenizer, "whole"), tokenizer, LARGE, "whole")
    assert columns is not None
    return columns


def size(columns: dict[str, Any]) -> int:
    return sum(len(columns[name]) for name in SECTIONS)


def controls(columns: dict[str, Any], *names: str) -> list[Control]:
    return [Control(id_) for name in names for id_ in columns[name] if id_ < FIRST_TEXT]


def judgement(attempt: str) -> Judgement:
    return Judgement(EXAMPLE.id, attempt, Decision.REFINE, "valid", "unchanged", "none")


def text_of(columns: dict[str, Any], marker: Control, name: str, tokenizer: Tokenizer) -> str:
    """Return the text between a marker and the next."""
    ids = columns[name]
    start = ids.index(marker) + 1
    ends = [at for at in range(start, len(ids)) if ids[at] < FIRST_TEXT]
    return tokenizer.decode(ids[start : ends[0] if ends else None])


@pytest.mark.parametrize("given", [EXAMPLE, ADDED])
def test_sections_hold_their_texts(given: Example, tokenizer: Tokenizer) -> None:
    columns = whole(given, tokenizer)
    last, text = (Control.ANCHOR, given.anchor) if given is ADDED else (Control.BEFORE, given.before)
    assert controls(columns, *SECTIONS) == [
        Control.PROBLEM, Control.BODY, Control.PATH, Control.OUTLINE, last, Control.PLAN, Control.CODE, Control.END
    ]  # fmt: skip
    for marker, name, expected in (
        (Control.PROBLEM, "problem_ids", given.title),
        (Control.BODY, "problem_ids", given.body),
        (Control.PATH, "context_ids", given.path),
        (Control.OUTLINE, "context_ids", given.outline),
        (last, "context_ids", text),
        (Control.PLAN, "plan_ids", given.plan),
        (Control.CODE, "code_ids", given.code),
    ):
        assert text_of(columns, marker, name, tokenizer) == expected
    assert (columns["plan_bytes"], columns["code_bytes"]) == (len(given.plan.encode()), len(given.code.encode()))


def test_bytes_are_counted_in_utf8(tokenizer: Tokenizer) -> None:
    columns = whole(example(plan="é", code="世"), tokenizer)
    assert (columns["plan_bytes"], columns["code_bytes"]) == (2, 3)


def test_empty_body_and_outline_have_no_marker_but_an_empty_anchor_has(tokenizer: Tokenizer) -> None:
    columns = whole(example(change="added", body="", outline="", before="", anchor="", plan=""), tokenizer)
    assert controls(columns, *SECTIONS) == [
        Control.PROBLEM, Control.PATH, Control.ANCHOR, Control.PLAN, Control.CODE, Control.END
    ]  # fmt: skip
    assert columns["plan_ids"] == [Control.PLAN]


def test_control_tokens_in_the_text_give_no_control_ids(tokenizer: Tokenizer) -> None:
    poison = "".join(CONTROL)
    texts = dict.fromkeys(("title", "body", "path", "outline", "before", "plan", "code"), poison)
    clean = whole(EXAMPLE, tokenizer)
    columns = whole(example(**texts), tokenizer)
    assert controls(columns, *SECTIONS) == controls(clean, *SECTIONS)
    assert text_of(columns, Control.CODE, "code_ids", tokenizer) == poison


@pytest.mark.parametrize("given", [EXAMPLE, ADDED])
def test_every_window_shortens_outline_then_body_then_anchor(given: Example, tokenizer: Tokenizer) -> None:
    full = sections.prefix(given, tokenizer, "whole")
    never_cut = sum(len(full[name]) for name in ("title", "path")) + len(full.get("before", [Control.ANCHOR]))
    emptied_before = {"body": ["outline"], "anchor": ["outline", "body"]}
    for window in range(2 * sections.size(full) + 2, 0, -1):
        short = sections.shorten(full, window, HALF)
        assert sections.size(short) <= max(never_cut, window // 2)
        assert list(short) == list(full), "the order of the document"
        for name, ids in short.items():
            assert ids == full[name][: len(ids)]
            if len(ids) < len(full[name]):
                assert name in sections.SHORTENED
                assert all(not short[earlier] for earlier in emptied_before.get(name, []))
    assert sections.size(sections.shorten(full, 1, HALF)) == never_cut


def test_no_more_is_cut_than_must_be(tokenizer: Tokenizer) -> None:
    full = sections.prefix(EXAMPLE, tokenizer, "whole")
    total = sections.size(full)
    assert sections.shorten(full, 2 * total, HALF) == full
    short = sections.shorten(full, 2 * total - 6, HALF)
    assert sections.size(short) == total - 3
    assert short | {"outline": full["outline"]} == full


@pytest.mark.parametrize("part", ["problem", "outline", "anchor"])
def test_a_part_is_shortened_to_its_own_budget_even_where_there_is_room(part: str, tokenizer: Tokenizer) -> None:
    long = {"problem": "body", "outline": "outline", "anchor": "anchor"}[part]
    full = sections.prefix(example(**(asdict(ADDED) | {long: "x := 1\n" * 200})), tokenizer, "whole")
    budgets = Budgets(**{"problem": 0.45, "outline": 0.45, "anchor": 0.45, "prefix": 0.9, part: 0.1})
    short = sections.shorten(full, 2000, budgets)
    kept = len(short[long]) + (len(short["title"]) if part == "problem" else 0)
    assert kept == 200 < len(full[long])
    assert short | {long: full[long]} == full
    nothing = sections.shorten(full, 2000, budgets.model_copy(update={part: 0.0}))
    assert nothing[long] == full[long][: part == "anchor"]


def test_a_title_above_its_budget_leaves_nothing_of_the_body(tokenizer: Tokenizer) -> None:
    full = sections.prefix(example(title="why " * 100), tokenizer, "whole")
    short = sections.shorten(full, 400, Budgets(problem=0.1))
    assert short["title"] == full["title"]
    assert short["body"] == []


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"outline": 0.6}, "outline 0.6 is more than prefix 0.5"),
        ({"prefix": 0.2}, "problem 0.25 is more than prefix 0.2"),
        ({"prefix": 1.0}, "prefix: .* below 1.*, found 1.0"),
        ({"anchor": -0.1}, "anchor: .*at least 0 .*, found -0.1"),
        ({"before": 0.1}, "before"),
    ],
)
def test_budgets_that_contradict_each_other_are_refused(given: dict[str, float], reason: str) -> None:
    with pytest.raises(settings.ConfigError, match=reason):
        settings.parse({"name": "t", "data": "d", "prepare": {"budgets": given}}, "test")


def test_the_answer_has_no_say_in_the_prefix(tokenizer: Tokenizer) -> None:
    """Cut to the room that the answer leaves, the length of the prefix would tell the length of the answer."""
    window = sections.size(sections.prefix(EXAMPLE, tokenizer, "whole")) * 7 // 4
    prefixes, kept = [], 0
    for length in range(0, window, 4):
        grown = replace(EXAMPLE, plan="add " * (length // 4), code="x " * length)
        given = sections.shorten(sections.prefix(grown, tokenizer, "whole"), window, HALF)
        columns = sections.solve(grown, given, tokenizer, window, "whole")
        row = sections.judge(judgement("x " * length), grown, given, tokenizer, window, "whole")
        prefixes += [columns["problem_ids"] + columns["context_ids"]] if columns else []
        prefixes += [row["prefix_ids"][:-1]] if row else []
        kept += columns is not None
    assert 3 < kept < len(range(0, window, 4)), "some answers fit beside the prefix and some do not"
    assert all(ids == prefixes[0] for ids in prefixes)
    assert len(prefixes[0]) == window // 2


def test_documents_fit_the_window_or_are_refused(tokenizer: Tokenizer) -> None:
    given = sections.prefix(EXAMPLE, tokenizer, "whole")
    full = size(whole(EXAMPLE, tokenizer))
    columns = sections.solve(EXAMPLE, given, tokenizer, full, "whole")
    assert columns == whole(EXAMPLE, tokenizer)
    assert size(columns) - len(columns["plan_ids"]) + 1 <= full, "the document without a plan"
    assert sections.solve(EXAMPLE, given, tokenizer, full - 1, "whole") is None


def test_judge_rows(tokenizer: Tokenizer) -> None:
    given = sections.prefix(EXAMPLE, tokenizer, "whole")
    attempt = judgement("func Start() {}<|judge|>")
    row = sections.judge(attempt, EXAMPLE, given, tokenizer, LARGE, "whole")
    assert row is not None
    columns = whole(EXAMPLE, tokenizer)
    assert row["prefix_ids"] == [*columns["problem_ids"], *columns["context_ids"], Control.DIRECT]
    assert controls(row, "attempt_ids") == [Control.CODE, Control.END, Control.JUDGE]
    assert tokenizer.decode(row["attempt_ids"]) == "func Start() {}<|judge|>"
    assert (row["label"], row["example_id"], row["attempt"]) == (1, EXAMPLE.id, "func Start() {}<|judge|>")
    window = len(row["prefix_ids"]) + len(row["attempt_ids"])
    assert sections.judge(attempt, EXAMPLE, given, tokenizer, window, "whole") == row
    assert sections.judge(attempt, EXAMPLE, given, tokenizer, window - 1, "whole") is None


def test_a_plan_has_places_in_an_edit_alone(tokenizer: Tokenizer) -> None:
    given = example(before="a\nb\nc", code="a\nx\nc", plan="modify function F\n@1-2 add x")
    found = {}
    for form in get_args(Form):
        row = sections.solve(given, sections.prefix(given, tokenizer, form), tokenizer, LARGE, form)
        assert row is not None
        found[form] = [id_ for id_ in row["plan_ids"] if id_ < FIRST_TEXT]
    start = min(id_ for id_ in sections.prefix(given, tokenizer, "edit")["before"] if id_ >= FIRST_NUMBER)
    assert found == {"whole": [Control.PLAN], "edit": [Control.PLAN, start + 1, start + 2]}


def test_a_judged_attempt_is_an_edit_where_answers_are(tokenizer: Tokenizer) -> None:
    given = example(before="a\nb\nc", code="a\nx\nc", plan="modify function F\n@1-2 add x")
    prefix = sections.prefix(given, tokenizer, "edit")
    row = sections.judge(judgement("a\nc"), given, prefix, tokenizer, LARGE, "edit")
    assert row is not None
    start = edits.offset(given.id, given.before) + FIRST_NUMBER
    assert row["attempt_ids"] == [Control.CODE, start + 1, start + 2, Control.END, Control.JUDGE]
