"""Pull requests from edits: a repository's history, each request starting from the state that the last one left."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from hrm_ray.collect.records import ChangedFile, PullRequest, Repository, Request
from hrm_ray.collect.synthetic.drafts import Place
from hrm_ray.collect.synthetic.edits import Applied, apply_any
from hrm_ray.collect.synthetic.packages import new_package
from hrm_ray.collect.synthetic.tree import Package, parse
from hrm_ray.collect.synthetic.vocabulary import DOMAINS, RESERVED, Domain, plural, project_name
from hrm_ray.collect.synthetic.wording import STYLES, body, title

_LICENSE = "Apache-2.0"
_FIRST = datetime(2016, 1, 4, 8)


def pull_requests(repositories: int, per_repository: int, seed: int) -> Iterator[PullRequest]:
    """Yield the pull requests of each repository in order of time.

    The whole is a function of the arguments, and repository r the same however many there are.
    """
    for index in range(repositories):
        yield from history(index, per_repository, seed)


@dataclass(frozen=True)
class Project:
    """A repository before its first pull request, and the randomness that its history goes on with."""

    repository: Repository
    domain: Domain
    style: str
    packages: tuple[Package, ...]
    rng: Random


def new_project(repository: int, seed: int) -> Project:
    """The repository of this index."""
    rng = Random(f"{seed}/{repository}")
    domain, style = rng.choice(DOMAINS), rng.choice(STYLES)
    name = f"synthetic/{project_name(rng, domain)}-{repository}"
    packages = tuple(new_package(rng, domain, folder) for folder in _folders(rng, domain.nouns))
    return Project(Repository(name, _LICENSE), domain, style, packages, rng)


def history(repository: int, count: int, seed: int) -> Iterator[PullRequest]:
    """Yield the first `count` pull requests of one repository."""
    project = new_project(repository, seed)
    rng, packages = project.rng, list(project.packages)
    time = _FIRST + timedelta(days=rng.randrange(0, 2500), seconds=rng.randrange(86400))
    base, number = _hash(project.repository.full_name, packages), rng.randrange(1, 40)
    for _ in range(count):
        at = rng.randrange(len(packages))
        edits = _edits(rng, Place(rng, project.domain, packages[at]))
        before, packages[at] = packages[at], edits[-1].package
        opened = time + timedelta(seconds=rng.randrange(3600, 5 * 86400))
        time = opened + timedelta(seconds=rng.randrange(600, 3 * 86400))
        head = _hash(base, packages)
        said = [(edit.kind, edit.facts) for edit in edits]
        short = before.folder.rsplit("/", 1)[-1]
        request = Request(number, title(rng, project.style, short, said), body(rng, said), f"{opened.isoformat()}Z",
                          f"{time.isoformat()}Z", base, head, False)  # fmt: skip
        yield PullRequest(project.repository, request, changed_files(before.files, packages[at].files))
        base, number = head, number + rng.randrange(1, 9)


def _folders(rng: Random, nouns: tuple[str, ...]) -> list[str]:
    names = [plural(noun).lower() for noun in nouns if plural(noun).lower() not in RESERVED]
    parent = rng.choice(["", "internal/", "pkg/"])
    return [f"{parent}{name}" for name in rng.sample(names, rng.randint(2, 3))]


def _edits(rng: Random, place: Place) -> list[Applied]:
    """One edit, sometimes two; a second that undoes the first is left out."""
    first = apply_any(place)
    if rng.random() > 0.15:
        return [first]
    second = apply_any(Place(rng, place.domain, first.package))
    undone = second.package.files == place.package.files
    return [first] if undone else [first, second]


def _hash(base: str, packages: list[Package]) -> str:
    """40 hex digits that depend on the predecessor and on every file."""
    digest = hashlib.sha1(base.encode(), usedforsecurity=False)
    for package in packages:
        for path, source in sorted(package.files.items()):
            digest.update(f"{path}\n{source}\n".encode())
    return digest.hexdigest()


def changed_files(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[ChangedFile, ...]:
    """The files that differ, with their patches."""
    paths = sorted(path for path in {*before, *after} if before.get(path) != after.get(path))
    return tuple(_changed_file(path, before.get(path, ""), after.get(path, "")) for path in paths)


def _changed_file(path: str, before: str, after: str) -> ChangedFile:
    lines = list(difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm=""))[2:]
    status = "modified" if before and after else "added" if after else "removed"
    added, deleted = (sum(line.startswith(sign) for line in lines) for sign in "+-")
    valid = not after or not parse(after).has_error
    return ChangedFile(path, status, added, deleted, "\n".join([*lines, ""]), before, after, valid)
