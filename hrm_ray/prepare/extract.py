"""From one pull request to its examples."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby

from hrm_ray.collect.records import ChangedFile, PullRequest
from hrm_ray.config.prepare import Form
from hrm_ray.golang.declarations import Declaration, declarations
from hrm_ray.golang.files import plain
from hrm_ray.golang.layout import layouts
from hrm_ray.golang.leaves import same_leaves
from hrm_ray.golang.syntax import parse_file_ok, validate
from hrm_ray.prepare.context import Context
from hrm_ray.prepare.examples import Example
from hrm_ray.prepare.matching import match, match_bodies
from hrm_ray.prepare.plan import placed, plan
from hrm_ray.prepare.runs import RUN_BYTES, runs


@dataclass
class _File:
    """A changed file with its declarations on both sides; `old` is what each one after was before."""

    file: ChangedFile
    context: Context
    before: list[Declaration]
    after: list[Declaration]
    old: list[Declaration | None]
    removed: list[Declaration]


@dataclass(frozen=True)
class _Change:
    """What an example is made of: `old` of a modification, `anchor` of additions, None where there is none."""

    file: _File
    old: Declaration | None
    anchor: Declaration | None
    new: list[Declaration]


@dataclass(frozen=True)
class _Plans:
    """The plans of a dataset: with places where modifications are edits."""

    max_steps: int
    form: Form

    def of(self, before: str, code: str, kinds: tuple[str, ...], names: tuple[str, ...]) -> str:
        make = placed if before and self.form == "edit" else plan
        return make(before, code, kinds, names, self.max_steps)


def extract(
    pull_request: PullRequest,
    max_plan_steps: int,
    drops: Counter[str],
    run_bytes: int = RUN_BYTES,
    form: Form = "whole",
) -> list[Example]:
    """Make an example of each modified declaration and of each run of additions; count the rest in `drops`.

    A run holds additions behind one anchor, at most `run_bytes` of them in UTF-8 and no more than a plan can name.
    """
    changed = [_plain(file) for file in pull_request.files]
    layouts([content for file in changed for content in _sides(file)])  # asks about all of them at once
    files = [_matched(file) for file in changed if _is_go(file, drops)]
    _match_across(files)
    drops["removed declaration"] += sum(len(file.removed) for file in files)
    examples: list[Example] = []
    seen: Counter[tuple[str, ...]] = Counter()
    for change in (change for file in files for change in _changes(file, max_plan_steps, run_bytes, drops)):
        key = (change.file.file.filename, *(new.name for new in change.new))
        example = _example(pull_request, change, key, seen[key], _Plans(max_plan_steps, form))
        seen[key] += 1
        if validate(example.code, example.kinds) is None:
            examples.append(example)
        else:
            drops["declaration not valid on its own"] += 1
    return examples


def _plain(file: ChangedFile) -> ChangedFile:
    """Return the file without what is no change of a declaration: other line ends, a byte order mark."""
    return replace(file, content_before=plain(file.content_before), content_after=plain(file.content_after))


def _sides(file: ChangedFile) -> list[str]:
    return [content for content in (file.content_before, file.content_after) if content]


def _is_go(file: ChangedFile, drops: Counter[str]) -> bool:
    valid = file.valid_syntax and all(map(parse_file_ok, _sides(file)))
    drops["file with a syntax error"] += not valid
    return valid


def _matched(file: ChangedFile) -> _File:
    before, after = declarations(file.content_before), declarations(file.content_after)
    found = match(before, after)
    return _File(file, Context(file.content_before, before), before, after, found.old, found.removed)


def _match_across(files: list[_File]) -> None:
    """Find declarations that moved from one file of the pull request to another."""
    spots = [(file, at) for file in files for at, old in enumerate(file.old) if old is None]
    removed = [gone for file in files for gone in file.removed]
    found = match_bodies([None] * len(spots), removed, [file.after[at] for file, at in spots])
    for (file, at), old in zip(spots, found.old, strict=True):
        file.old[at] = old
    left = {id(gone) for gone in found.removed}
    for file in files:
        file.removed = [gone for gone in file.removed if id(gone) in left]


def _changes(file: _File, max_plan_steps: int, run_bytes: int, drops: Counter[str]) -> Iterator[_Change]:
    """Modified declarations one by one, and runs of additions behind one anchor."""
    own = {id(found) for found in file.before}
    anchor: Declaration | None = None
    anchored: list[tuple[Declaration | None, Declaration]] = []
    for new, old in zip(file.after, file.old, strict=True):
        if old is None:
            anchored.append((anchor, new))
            continue
        if id(old) in own:
            anchor = old
        if old.text == new.text:
            drops["moved declaration"] += id(old) not in own
        else:
            yield _Change(file, old, None, [new])
    for _, group in groupby(anchored, key=lambda pair: id(pair[0])):
        pairs = list(group)
        for run in runs([new for _, new in pairs], run_bytes, max_plan_steps):
            yield _Change(file, None, pairs[0][0], run)


def _example(pull_request: PullRequest, change: _Change, key: tuple[str, ...], repeat: int, plans: _Plans) -> Example:
    request, repo, file = pull_request.pull_request, pull_request.repo, change.file.file
    kinds, names = tuple(new.kind for new in change.new), tuple(new.name for new in change.new)
    before, anchor = (found.text if found else "" for found in (change.old, change.anchor))
    code = "\n\n".join(new.text for new in change.new)
    return Example(
        id=_identity(repo.full_name, str(request.number), *key, *([str(repeat)] if repeat else [])),
        repository=repo.full_name,
        license=file.license or repo.license,
        number=request.number,
        merged_at=request.merged_at,
        path=file.filename,
        change="modified" if change.old else "added",
        kinds=kinds,
        names=names,
        is_test=file.filename.endswith("_test.go"),
        comment_only=bool(before) and same_leaves(before, code),
        title=request.title,
        body=request.body,
        outline=change.file.context.outline(change.old or change.anchor, f"{request.title}\n{request.body}"),
        before=before,
        anchor=anchor,
        plan=plans.of(before, code, kinds, names),
        code=code,
    )


def _identity(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]
