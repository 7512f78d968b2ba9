"""A small GitHub in memory: repositories with commits, and pull requests that were merged in GitHub's three ways."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

Tree = dict[str, bytes]
Edits = Mapping[str, str | bytes | None]
"""New contents by path; None removes a file."""


def object_id(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0%s" % (len(content), content)).hexdigest()


@dataclass(frozen=True)
class Commit:
    sha: str
    tree: Tree
    parents: tuple[str, ...]
    ci: str | None = None


@dataclass(frozen=True)
class Change:
    """A file that differs between two trees, with the patch as GitHub shows it."""

    path: str
    status: str
    before: bytes
    after: bytes
    previous: str | None = None

    @property
    def is_binary(self) -> bool:
        return b"\0" in self.before + self.after

    @property
    def patch(self) -> str | None:
        if self.is_binary or self.before == self.after:
            return None
        before, after = (text.decode().splitlines() for text in (self.before, self.after))
        return "\n".join(list(difflib.unified_diff(before, after, lineterm=""))[2:])

    def count(self, sign: str) -> int:
        return sum(line.startswith(sign) for line in (self.patch or "").split("\n"))


@dataclass
class Pull:
    number: int
    title: str
    body: str
    base: str
    """Where main was when the pull request was opened, which is what GitHub calls its base."""
    head: str
    merged: str | None
    author: tuple[str, str, str | None] | None = ("User", "ann", "Ann Example")
    """Type, login and name; None for someone who left."""
    branch: str = "topic"
    participants: tuple[tuple[str, str], ...] = ()
    labels: tuple[str, ...] = ()
    issues: tuple[tuple[int, str, str] | None, ...] = ()
    """None for one that the token may not see."""
    comments: tuple[tuple[str, str, str], ...] = ()
    """Time, login and text."""
    reviews: tuple[tuple[str, str, str, tuple[tuple[str, str, str], ...]], ...] = ()
    fork_is_gone: bool = False
    files: int | None = None
    """How many it claims to have changed, where that is not what it has."""


@dataclass
class Repo:
    full_name: str
    license: str | None = "MIT"
    stars: int = 10
    language: str = "Go"
    fork_of: str = ""
    archived: bool = False
    commits: dict[str, Commit] = field(default_factory=dict)
    pulls: list[Pull] = field(default_factory=list)
    main: str = ""
    missing: set[str] = field(default_factory=set)
    """Paths whose contents are lost, and commits that are."""
    links: set[str] = field(default_factory=set)
    """Paths whose content names another path."""
    is_vast: bool = False
    """GitHub lists its tree in part."""

    def commit(self, edits: Edits, *parents: str, ci: str | None = None) -> str:
        tree = dict(self.commits[parents[0]].tree) if parents else {}
        for path, content in edits.items():
            if content is None:
                tree.pop(path)
            else:
                tree[path] = content.encode() if isinstance(content, str) else content
        sha = hashlib.sha1(f"{self.full_name} {len(self.commits)}".encode()).hexdigest()
        self.commits[sha] = Commit(sha, tree, parents, ci)
        return sha

    def push(self, edits: Edits) -> str:
        """A commit directly on main."""
        self.main = self.commit(edits, *filter(None, [self.main]))
        return self.main

    def pull(
        self,
        title: str,
        *steps: Edits,
        how: str = "squash",
        meanwhile: Edits | None = None,
        ci: str | None = "SUCCESS",
        body: str = "",
        **more: object,
    ) -> Pull:
        """Open a pull request of one commit a step; `meanwhile` enters main before it is merged."""
        base = head = self.main
        branch = []
        for step in steps:
            head = self.commit(step, head, ci=ci)
            branch.append(head)
        if meanwhile:
            self.push(meanwhile)
        if how == "merge":
            merged = self.commit({path: content for step in steps for path, content in step.items()}, self.main, head)
        elif how == "rebase":
            merged = self.main
            for step in steps:
                merged = self.commit(step, merged)
        else:
            merged = self.commit({path: content for step in steps for path, content in step.items()}, self.main)
        self.main = merged
        made = Pull(len(self.pulls) + 1, title, body, base, head, merged, **more)  # type: ignore[arg-type]
        self.pulls.append(made)
        return made

    def merge_base(self, one: str, other: str) -> str | None:
        reached = self._ancestors(one)
        return next((sha for sha in self._ancestors(other) if sha in reached), None)

    def _ancestors(self, sha: str) -> dict[str, None]:
        """A commit and what came before it, the nearest first; a dict keeps the order."""
        found, queue = {sha: None}, [sha]
        for each in queue:
            for parent in self.commits[each].parents:
                if parent not in found:
                    found[parent] = None
                    queue.append(parent)
        return found

    def changes(self, base: str, head: str) -> list[Change]:
        """What differs, by path; a removed and an added file that are alike are one that was renamed."""
        before, after = self.commits[base].tree, self.commits[head].tree
        gone = {path: content for path, content in before.items() if path not in after}
        found = []
        for path, content in after.items():
            if path not in before:
                old = next((name for name, text in gone.items() if _alike(text, content)), None)
                was = gone.pop(old) if old else b""
                found.append(Change(path, "renamed" if old else "added", was, content, old))
            elif before[path] != content:
                found.append(Change(path, "modified", before[path], content))
        found += [Change(path, "removed", content, b"") for path, content in gone.items()]
        return sorted(found, key=lambda change: change.path)

    def of_pull(self, pull: Pull) -> list[Change]:
        base = self.merge_base(pull.base, pull.head)
        assert base
        return self.changes(base, pull.head)

    def content(self, oid: str) -> bytes | None:
        trees = (commit.tree for commit in self.commits.values())
        return next((text for tree in trees for text in tree.values() if object_id(text) == oid), None)


def _alike(one: bytes, other: bytes) -> bool:
    same = difflib.SequenceMatcher(None, one.split(b"\n"), other.split(b"\n"), autojunk=False)
    return same.ratio() > 0.5


@dataclass
class World:
    """All repositories, by `owner/name`; old names lead to new ones."""

    repositories: dict[str, Repo] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)
    users: set[str] = field(default_factory=set)
    """Owners that are no organisations."""

    def add(self, full_name: str, **about: object) -> Repo:
        repo = Repo(full_name, **about)  # type: ignore[arg-type]
        self.repositories[full_name] = repo
        return repo
