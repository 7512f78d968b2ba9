"""Boundaries are data, and what does not fit is shortened in the stated order."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from hrm_ray.prepare import sections
from hrm_ray.prepare.examples import Example
from hrm_ray.prepare.judgements import Decision, Judgement
from hrm_ray.prepare.tokenizer import CONTROL, Control, Tokenizer
from tests.prepare.factory import EXAMPLE, example

LARGE = 10_000
SECTIONS = ("problem_ids", "context_ids", "plan_ids", "code_ids")
ADDED = example(change="added", before="", anchor="type Engine struct{}")


def solve(given: Example, tokenizer: Tokenizer, window: int = LARGE) -> dict[str, Any] | None:
    return sections.solve(given, sections.prefix(given, tokenizer), tokenizer, window, Counter())


def whole(given: Example, tokenizer: Tokenizer) -> dict[str, Any]:
    columns = solve(given, tokenizer)
    assert columns is not None
    return columns


def size(columns: dict[str, Any]) -> int:
    return sum(len(columns[name]) for name in SECTIONS)


def controls(columns: dict[str, Any], *names: str) -> list[Control]:
    return [Control(id_) for name in names for id_ in columns[name] if id_ < len(Control)]


def judgement(attempt: str) -> Judgement:
    return Judgement(EXAMPLE.id, attempt, Decision.REFINE, "valid", "unchanged", "none")


def text_of(columns: dict[str, Any], marker: Control, name: str, tokenizer: Tokenizer) -> str:
    """Return the text between a marker and the next."""
    ids = columns[name]
    start = ids.index(marker) + 1
    ends = [at for at in range(start, len(ids)) if ids[at] < len(Control)]
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
    full = sections.prefix(given, tokenizer)
    total = sum(map(len, full.values()))
    emptied_before = {"body": ["outline"], "anchor": ["outline", "body"]}
    smallest = 0
    for room in range(total + 1, 0, -1):
        fitted = sections.fit(full, room)
        if fitted is None:
            smallest = smallest or room + 1
            continue
        assert sum(map(len, fitted.values())) <= room
        assert not smallest, "a smaller room fits what a larger one did not"
        for name, ids in fitted.items():
            assert ids == full[name][: len(ids)]
            if len(ids) < len(full[name]):
                assert name in sections.SHORTENED
                assert all(not fitted[earlier] for earlier in emptied_before.get(name, []))
    never_cut = sum(len(full[name]) for name in ("title", "path")) + len(full.get("before", [Control.ANCHOR]))
    assert smallest == never_cut


def test_fit_uses_the_whole_room(tokenizer: Tokenizer) -> None:
    full = sections.prefix(EXAMPLE, tokenizer)
    total = sum(map(len, full.values()))
    fitted = sections.fit(full, total - 3)
    assert fitted is not None
    assert sum(map(len, fitted.values())) == total - 3
    assert fitted | {"outline": full["outline"]} == full


def test_documents_fit_the_window_or_are_refused(tokenizer: Tokenizer) -> None:
    full = size(whole(EXAMPLE, tokenizer))
    assert solve(EXAMPLE, tokenizer, full) == whole(EXAMPLE, tokenizer)
    for window in range(full, 0, -1):
        columns = solve(EXAMPLE, tokenizer, window)
        if columns is None:
            break
        assert size(columns) <= window
        assert size(columns) - len(columns["plan_ids"]) + 1 <= window, "the document without a plan"
        assert [columns[name] for name in ("plan_ids", "code_ids")] == [
            whole(EXAMPLE, tokenizer)[name] for name in ("plan_ids", "code_ids")
        ]
    assert window > 50, "title, path, before, plan and code were cut"


def test_shortened_sections_are_counted(tokenizer: Tokenizer) -> None:
    counts: Counter[str] = Counter()
    prefix = sections.prefix(EXAMPLE, tokenizer)
    full = size(whole(EXAMPLE, tokenizer))
    for window in (full, full - 1, full - len(prefix["outline"]) - 2):
        assert sections.solve(EXAMPLE, prefix, tokenizer, window, counts)
    assert counts == {"outline": 2, "body": 1}


def test_judge_rows(tokenizer: Tokenizer) -> None:
    prefix = sections.prefix(EXAMPLE, tokenizer)
    row = sections.judge(judgement("func Start() {}<|judge|>"), prefix, tokenizer, LARGE)
    assert row is not None
    columns = whole(EXAMPLE, tokenizer)
    assert row["prefix_ids"] == [*columns["problem_ids"], *columns["context_ids"], Control.DIRECT]
    assert controls(row, "attempt_ids") == [Control.CODE, Control.END, Control.JUDGE]
    assert tokenizer.decode(row["attempt_ids"]) == "func Start() {}<|judge|>"
    assert (row["label"], row["example_id"], row["attempt"]) == (1, EXAMPLE.id, "func Start() {}<|judge|>")
    window = len(row["prefix_ids"]) + len(row["attempt_ids"])
    shorter = sections.judge(judgement("func Start() {}<|judge|>"), prefix, tokenizer, window - 2)
    assert shorter is not None
    assert len(shorter["prefix_ids"]) == len(row["prefix_ids"]) - 2
    assert shorter["attempt_ids"] == row["attempt_ids"]
    assert sections.judge(judgement("x " * 500), prefix, tokenizer, 400) is None
