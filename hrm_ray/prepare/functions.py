"""Documented functions as examples for the training fold: the doc comment is the problem, the signature the plan.

They are additions without a pull request, which their `number` says; by it they are weighted and counted apart.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from pydantic import TypeAdapter

from hrm_ray.collect.functions import Function
from hrm_ray.collect.records import ALL, Every, Unreadable, refuse
from hrm_ray.golang.doc_sentences import title_and_rest
from hrm_ray.prepare import jsonl
from hrm_ray.prepare.examples import NO_PULL_REQUEST, Example
from hrm_ray.prepare.plan import plan

FOLD = "functions"
"""Stands for the fold of a function until it is admitted to the training fold."""

GO = ("outline", "anchor", "code")
SPOKEN = ("doc",)
"""Fields of a function that hold source, and what people wrote about it."""

_FUNCTION = TypeAdapter(Function)


def read(path: Path, unreadable: Unreadable = refuse, every: Every = ALL) -> Iterator[Function]:
    """Yield the functions that `collect` wrote; `unreadable` is told of the line and field where one is broken."""
    return jsonl.rows(path, _FUNCTION, unreadable, every)


def example(function: Function) -> Example:
    """Return the example of one function: the sentence that says what it does is the title, its name and signature the
    plan."""
    title, body = title_and_rest(function.doc)
    identity = "\0".join((function.repository, FOLD, function.path, function.name, function.code))
    return Example(
        id=hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:16],
        repository=function.repository,
        license=function.license,
        number=NO_PULL_REQUEST,
        merged_at=function.merged_at,
        path=function.path,
        change="added",
        kinds=(function.kind,),
        names=(function.name,),
        is_test=False,
        comment_only=False,
        title=title,
        body=body,
        outline=function.outline,
        before="",
        anchor=function.anchor,
        plan=plan("", function.code, (function.kind,), (function.name,), max_steps=2),
        code=function.code,
    )


def admit(
    candidates: Iterable[tuple[int, str, str]], held_out: Collection[str], known: Collection[str], drops: Counter[str]
) -> list[int]:
    """Return the rows of those candidates (row, repository, digest of the code) that may be trained on.

    The newest tree holds what every pull request wrote, so a repository in `held_out` gives no function at all;
    `known` are the digests of what additions and held-out modifications wrote, wherever they were merged.
    """
    admitted: dict[str, int] = {}
    for row, repository, digest in candidates:
        if repository in held_out:
            drops["function of a repository with held-out pull requests"] += 1
        elif digest in known or digest in admitted:
            drops["exact duplicate"] += 1
        else:
            admitted[digest] = row
    return list(admitted.values())
