"""From one pull request to its examples."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from hrm_ray.collect.records import ChangedFile, PullRequest
from hrm_ray.golang.declarations import Declaration, declarations, outline
from hrm_ray.golang.files import SKIPPED_FOLDERS, is_generated
from hrm_ray.golang.leaves import leaves
from hrm_ray.golang.syntax import parse_file_ok, validate
from hrm_ray.prepare.examples import Example
from hrm_ray.prepare.matching import match, match_bodies
from hrm_ray.prepare.plan import plan


@dataclass
class _File:
    """A changed file with its declarations on both sides; `old` is what each one after was before."""

    file: ChangedFile
    outline: str
    before: list[Declaration]
    after: list[Declaration]
    old: list[Declaration | None]
    removed: list[Declaration]


@dataclass(frozen=True)
class _Change:
    """What an example is made of; `old` is None for additions."""

    file: _File
    old: Declaration | None
    anchor: str
    new: list[Declaration]


def extract(pull_request: PullRequest, max_plan_steps: int, drops: Counter[str]) -> list[Example]:
    """Make an example of each changed declaration, additions behind one anchor together; count the rest in `drops`."""
    if pull_request.pull_request.is_bot:
        drops["pull request of a bot"] += 1
        return []
    files = [_matched(file) for file in pull_request.files if _is_usable(file, drops)]
    _match_across(files)
    drops["removed declaration"] += sum(len(file.removed) for file in files)
    examples: list[Example] = []
    seen: Counter[tuple[str, ...]] = Counter()
    for change in (change for file in files for change in _changes(file, drops)):
        key = (change.file.file.filename, *(new.name for new in change.new))
        example = _example(pull_request, change, key, seen[key], max_plan_steps)
        seen[key] += 1
        if validate(example.code, example.kinds) is None:
            examples.append(example)
        else:
            drops["declaration not valid on its own"] += 1
    return examples


def _is_usable(file: ChangedFile, drops: Counter[str]) -> bool:
    reason = _refusal(file)
    if reason:
        drops[reason] += 1
    return not reason


def _refusal(file: ChangedFile) -> str:
    """Why a file gives no examples, or nothing."""
    if not file.filename.endswith(".go"):
        return "file that is not Go"
    if SKIPPED_FOLDERS.intersection(file.filename.split("/")[:-1]):
        return "vendored or test-data file"
    sides = [content for content in (file.content_before, file.content_after) if content]
    if any(map(is_generated, sides)):
        return "generated file"
    if not file.valid_syntax or not all(parse_file_ok(content) for content in sides):
        return "file with a syntax error"
    return ""


def _matched(file: ChangedFile) -> _File:
    before, after = declarations(file.content_before), declarations(file.content_after)
    found = match(before, after)
    return _File(file, outline(file.content_before), before, after, found.old, found.removed)


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


def _changes(file: _File, drops: Counter[str]) -> Iterator[_Change]:
    """Modified declarations one by one, and runs of additions behind one anchor."""
    own = {id(found) for found in file.before}
    anchor = ""
    anchored: list[tuple[str, Declaration]] = []
    for new, old in zip(file.after, file.old, strict=True):
        if old is None:
            anchored.append((anchor, new))
            continue
        if id(old) in own:
            anchor = old.text
        if old.text == new.text:
            drops["moved declaration"] += id(old) not in own
        else:
            yield _Change(file, old, "", [new])
    for text, group in groupby(anchored, key=lambda pair: pair[0]):
        yield _Change(file, None, text, [new for _, new in group])


def _example(pull_request: PullRequest, change: _Change, key: tuple[str, ...], repeat: int, steps: int) -> Example:
    request, repo, file = pull_request.pull_request, pull_request.repo, change.file.file
    kinds, names = tuple(new.kind for new in change.new), tuple(new.name for new in change.new)
    before = change.old.text if change.old else ""
    code = "\n\n".join(new.text for new in change.new)
    return Example(
        id=_identity(repo.full_name, str(request.number), *key, *([str(repeat)] if repeat else [])),
        repository=repo.full_name,
        license=repo.license,
        number=request.number,
        merged_at=request.merged_at,
        path=file.filename,
        change="modified" if change.old else "added",
        kinds=kinds,
        names=names,
        is_test=file.filename.endswith("_test.go"),
        comment_only=bool(before) and leaves(before) == leaves(code),
        title=request.title,
        body=request.body,
        outline=change.file.outline,
        before=before,
        anchor=change.anchor,
        plan=plan(before, code, kinds, names, steps),
        code=code,
    )


def _identity(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]
