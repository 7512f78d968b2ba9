"""Example and tokenizer -> token columns that fit the window (docs/formats.md).

Each section is tokenised on its own and its marker placed by us, so the boundaries are data. A prefix is shortened at
the ends of its sections (outline, body, anchor), each to its own share of the window and then in this order until all
together fit theirs, whatever the answer: cut to the room that the reference leaves, the length of the prefix would tell
the answer's. Title, path, the declaration before, plan, code and attempt are never cut. Nothing here reads the file
after.
"""

from __future__ import annotations

from typing import Any

from hrm_ray.config import Budgets
from hrm_ray.config.prepare import Form
from hrm_ray.prepare import edits
from hrm_ray.prepare.examples import Example
from hrm_ray.prepare.judgements import Judgement
from hrm_ray.prepare.tokenizer import Control, Tokenizer

SHORTENED = ("outline", "body", "anchor")
"""Sections that may be shortened, in this order."""

Prefix = dict[str, list[int]]
"""The sections of problem and context in the order of the document, each with its marker; absent ones are empty."""


def fits(example: Example, form: Form) -> bool:
    """Whether the lines of an example that is to be edited have numbers."""
    return not _is_edited(example, form) or edits.fits(example.before)


def prefix(example: Example, tokenizer: Tokenizer, form: Form) -> Prefix:
    """Tokenise the problem and the context, whole."""
    last = "before" if example.change == "modified" else "anchor"
    texts = [example.title, example.body, example.path, example.outline, getattr(example, last)]
    title, body, path, outline, declaration = tokenizer.encode_batch(texts)
    if _is_edited(example, form):
        declaration = edits.numbered(example.before, _start(example), tokenizer)
    return {
        "title": [Control.PROBLEM, *title],
        "body": [Control.BODY, *body] if body else [],
        "path": [Control.PATH, *path],
        "outline": [Control.OUTLINE, *outline] if outline else [],
        last: [Control[last.upper()], *declaration],
    }


def shorten(whole: Prefix, window: int, budgets: Budgets) -> Prefix:
    """Shorten a prefix to its budgets of the window, in tokens with markers, or as far as what is never cut lets it."""
    own = {
        "outline": int(budgets.outline * window),
        "body": max(0, int(budgets.problem * window) - len(whole["title"])),
        "anchor": int(budgets.anchor * window),
    }
    sections = {name: _cut(name, ids, own.get(name, len(ids))) for name, ids in whole.items()}
    for name in SHORTENED:
        excess = size(sections) - int(budgets.prefix * window)
        if excess > 0 and name in sections:
            sections[name] = _cut(name, sections[name], len(sections[name]) - excess)
    return sections


def _cut(name: str, ids: list[int], most: int) -> list[int]:
    """Keep the first `most` ids; a marker alone says nothing, but every addition has its anchor's."""
    kept = ids[: max(1, most)]
    return kept if len(kept) > 1 or kept == ids or name == "anchor" else []


def solve(example: Example, given: Prefix, tokenizer: Tokenizer, window: int, form: Form) -> dict[str, Any] | None:
    """Return the token columns of a solve document with the prefix `given`, None where it is larger than the window.

    The document without a plan is never longer: its one `<|direct|>` stands for a plan of at least its marker.
    """
    plan, code = _plan(example, tokenizer, form), _answer(example, example.code, tokenizer, form)
    plan_ids, code_ids = [Control.PLAN, *plan], [Control.CODE, *code, Control.END]
    if size(given) + len(plan_ids) + len(code_ids) > window:
        return None
    return {
        "problem_ids": given["title"] + given["body"],
        "context_ids": _context(given),
        "plan_ids": plan_ids,
        "code_ids": code_ids,
        "plan_bytes": len(example.plan.encode()),
        "code_bytes": len(example.code.encode()),
    }


def judge(
    judgement: Judgement, example: Example, given: Prefix, tokenizer: Tokenizer, window: int, form: Form
) -> dict[str, Any] | None:
    """Return the row of a judge document with the prefix `given`, None where it is larger than the window."""
    attempt_ids = [Control.CODE, *_answer(example, judgement.attempt, tokenizer, form), Control.END, Control.JUDGE]
    if size(given) + 1 + len(attempt_ids) > window:
        return None
    return {
        "example_id": judgement.example_id,
        "prefix_ids": [*ids(given), Control.DIRECT],
        "attempt_ids": attempt_ids,
        "label": int(judgement.label),
        "feedback": judgement.feedback,
        "origin": judgement.origin,
        "attempt": judgement.attempt,
        "change": judgement.change,
    }


def size(given: Prefix) -> int:
    """Tokens of a prefix."""
    return sum(map(len, given.values()))


def ids(given: Prefix) -> list[int]:
    """Problem and context of a prefix, end to end."""
    return [*given["title"], *given["body"], *_context(given)]


def _context(given: Prefix) -> list[int]:
    return [id_ for name in ("path", "outline", "before", "anchor") for id_ in given.get(name, [])]


def _is_edited(example: Example, form: Form) -> bool:
    """Whether the answer is an edit of the declaration before; an addition has none and is written whole."""
    return form == "edit" and example.change == "modified"


def _start(example: Example) -> int:
    return edits.offset(example.id, example.before)


def _answer(example: Example, code: str, tokenizer: Tokenizer, form: Form) -> list[int]:
    """Tokenise what is written: the edit that leads to `code`, or `code` itself."""
    if _is_edited(example, form):
        return edits.encode(edits.hunks(example.before, code), _start(example), tokenizer)
    return tokenizer.encode(code)


def _plan(example: Example, tokenizer: Tokenizer, form: Form) -> list[int]:
    if not _is_edited(example, form):
        return tokenizer.encode(example.plan)
    return edits.encode_plan(example.plan, _start(example), tokenizer)
