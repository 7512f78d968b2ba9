"""Example and tokenizer -> token columns that fit the window (docs/formats.md).

Each section is tokenised on its own and its marker placed by us, so the boundaries are data. What does not fit is
shortened at its end in a fixed order: outline, body, anchor. Title, path, the declaration before, plan, code and
attempt are never cut. Nothing here reads the file after.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from hrm_ray.prepare.examples import Example
from hrm_ray.prepare.judgements import Judgement
from hrm_ray.prepare.tokenizer import Control, Tokenizer

SHORTENED = ("outline", "body", "anchor")
"""Sections that may be shortened, in this order."""

Prefix = dict[str, list[int]]
"""The sections of problem and context in the order of the document, each with its marker; absent ones are empty."""


def prefix(example: Example, tokenizer: Tokenizer) -> Prefix:
    """Tokenise the problem and the context, whole."""
    last = "before" if example.change == "modified" else "anchor"
    texts = [example.title, example.body, example.path, example.outline, getattr(example, last)]
    title, body, path, outline, declaration = tokenizer.encode_batch(texts)
    return {
        "title": [Control.PROBLEM, *title],
        "body": [Control.BODY, *body] if body else [],
        "path": [Control.PATH, *path],
        "outline": [Control.OUTLINE, *outline] if outline else [],
        last: [Control[last.upper()], *declaration],
    }


def fit(whole: Prefix, room: int) -> Prefix | None:
    """Shorten a prefix to at most `room` tokens; None where that cannot be."""
    sections = dict(whole)
    for name in SHORTENED:
        excess = sum(map(len, sections.values())) - room
        if excess > 0 and sections.get(name):
            kept = sections[name][: max(1, len(sections[name]) - excess)]
            sections[name] = kept if len(kept) > 1 or name == "anchor" else []
    return sections if sum(map(len, sections.values())) <= room else None


def solve(
    example: Example, whole: Prefix, tokenizer: Tokenizer, window: int, shortened: Counter[str]
) -> dict[str, Any] | None:
    """Return the token columns of a solve document, None where it is larger than the window.

    `shortened` counts the sections that had to be cut. The document without a plan is never longer: its one
    `<|direct|>` stands for a plan of at least its marker.
    """
    plan, code = tokenizer.encode_batch([example.plan, example.code])
    plan_ids, code_ids = [Control.PLAN, *plan], [Control.CODE, *code, Control.END]
    fitted = fit(whole, window - len(plan_ids) - len(code_ids))
    if fitted is None:
        return None
    shortened.update(name for name in SHORTENED if fitted.get(name) != whole.get(name))
    return {
        "problem_ids": fitted["title"] + fitted["body"],
        "context_ids": _context(fitted),
        "plan_ids": plan_ids,
        "code_ids": code_ids,
        "plan_bytes": len(example.plan.encode()),
        "code_bytes": len(example.code.encode()),
    }


def judge(judgement: Judgement, whole: Prefix, tokenizer: Tokenizer, window: int) -> dict[str, Any] | None:
    """Return the row of a judge document, None where it is larger than the window."""
    attempt_ids = [Control.CODE, *tokenizer.encode(judgement.attempt), Control.END, Control.JUDGE]
    fitted = fit(whole, window - len(attempt_ids) - 1)
    if fitted is None:
        return None
    return {
        "example_id": judgement.example_id,
        "prefix_ids": [*fitted["title"], *fitted["body"], *_context(fitted), Control.DIRECT],
        "attempt_ids": attempt_ids,
        "label": int(judgement.label),
        "feedback": judgement.feedback,
        "origin": judgement.origin,
        "attempt": judgement.attempt,
        "change": judgement.change,
    }


def _context(fitted: Prefix) -> list[int]:
    return [id_ for name in ("path", "outline", "before", "anchor") for id_ in fitted.get(name, [])]
