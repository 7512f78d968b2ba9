"""The pull requests in a clone's history, read from squash and merge commits.

A pull request changes `base`..`head`: a squash commit and its parent, or a merge's second parent and where its branch
began. Author names and addresses are read to tell bots from people, and never kept.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

from hrm_ray.collect import filters, messages
from hrm_ray.collect.commits import Commits, Merged
from hrm_ray.collect.differences import PATCHES, RAW, Entry, entries, with_patches
from hrm_ray.collect.filters import Dropped
from hrm_ray.collect.git import Clone, Differences, Objects, utc
from hrm_ray.collect.licenses import license_of
from hrm_ray.collect.messages import People
from hrm_ray.collect.records import ChangedFile, PullRequest, Repository, Request
from hrm_ray.config import Clean
from hrm_ray.golang.syntax import parse_file_ok

MOST_COMMITS = 30
"""Commits of a branch whose messages make the body of a merge that says nothing itself."""

_PERSON = re.compile(rb"^(author|committer) (.*) (-?\d+) [+-]\d+$", re.MULTILINE)
_ENCODING = re.compile(rb"^encoding (\S+)$", re.MULTILINE)


def pull_requests(
    clone: Clone, commits: Commits, most: int, settings: Clean, drops: Counter[str], looked_at: Callable[[], None]
) -> Iterator[PullRequest]:
    """Yield the `most` newest pull requests of `commits` that `settings` let pass.

    `drops` counts by reason what is left out; `looked_at` is called for each one, kept or not.

    Raises:
        UserError: the clone is damaged or lacks trees; missing contents only drop the pull requests that need them.
    """
    with ExitStack() as stack:
        objects = stack.enter_context(Objects(clone))
        listed, compared = (stack.enter_context(Differences(clone, *options)) for options in (RAW, PATCHES))
        repository, people = Repository(clone.name, license_of(clone, objects)), People(commits.people)
        look = _Look(repository, people, objects, listed, compared, settings, drops)
        seen: set[int] = set()
        left = most
        for merged in commits.merged():
            looked_at()
            try:
                if merged.number in seen:
                    raise Dropped("pull request that a newer commit names too")
                yield look.at(merged)
                seen.add(merged.number)
            except Dropped as reason:
                drops[str(reason)] += 1
                continue
            left -= 1
            if not left:
                return


@dataclass(frozen=True)
class _Commit:
    """A commit object; `author` is for `is_bot` only."""

    author: str
    authored: int
    committed: int
    message: str


@dataclass(frozen=True)
class _Look:
    """Everything that it takes to read one pull request after the other."""

    repository: Repository
    people: People
    objects: Objects
    listed: Differences
    compared: Differences
    settings: Clean
    drops: Counter[str]

    def at(self, merged: Merged) -> PullRequest:
        """Read one; Dropped where the filters refuse it."""
        if not merged.base:
            raise Dropped("pull request whose base is not in the clone")
        request = self._request(merged)
        changed = entries(self.listed.between(merged.base, merged.head))
        filters.check_entries(changed, self.settings)
        contents = {oid: self._content(oid) for entry in changed for oid in (entry.before, entry.after)}
        files = []
        for entry, patch in with_patches(self.compared.between(merged.base, merged.head)):
            try:
                files.append(_file(entry, contents, patch, self.settings))
            except Dropped as reason:
                self.drops[str(reason)] += 1
        filters.check_files(files, self.settings)
        return PullRequest(self.repository, request, tuple(files))

    def _request(self, merged: Merged) -> Request:
        commit, head = self._commit(merged.commit), self._commit(merged.head)
        branch = messages.branch(commit.message)
        title, body = messages.problem(commit.message)
        if not body:
            brought = [self._commit(oid).message for oid in reversed(merged.branch[:MOST_COMMITS])]
            body = messages.story(title, brought)
        title, body = self.people.removed(title), self.people.removed(body)
        if not title:
            raise Dropped("pull request without a title")
        created, finished = utc(min(head.authored, commit.committed)), utc(commit.committed)
        is_bot = messages.is_bot(head.author, branch)
        request = Request(merged.number, title, body, created, finished, merged.base, merged.head, is_bot)
        filters.check_kind(request, self.settings, branch)
        return request

    def _content(self, oid: str) -> bytes:
        if not oid.strip("0"):
            return b""
        if (content := self.objects.read(oid)) is None:
            raise Dropped("pull request with a file whose content is not in the clone")
        return content

    def _commit(self, oid: str) -> _Commit:
        header, _, message = (self.objects.read(oid) or b"").partition(b"\n\n")
        said = {role: (name, int(time)) for role, name, time in _PERSON.findall(header)}
        author, authored = said.get(b"author", (b"", 0))
        committed = said.get(b"committer", (b"", authored))[1]
        return _Commit(author.decode("utf-8", "replace"), authored, committed, _decoded(header, message))


def _decoded(header: bytes, message: bytes) -> str:
    """The message as text; the header names its encoding where that is not UTF-8, rightly or not."""
    codec = _ENCODING.search(header)
    try:
        return message.decode(codec[1].decode() if codec else "utf-8", "replace")
    except (LookupError, ValueError):
        return message.decode("utf-8", "replace")


def _file(entry: Entry, contents: dict[str, bytes], patch: bytes, settings: Clean) -> ChangedFile:
    before, after = (filters.text(contents[oid], settings.largest_file) for oid in (entry.before, entry.after))
    if "\N{REPLACEMENT CHARACTER}" in entry.path:
        raise Dropped("file whose name is not UTF-8")
    signs = Counter(line[:1] for line in patch.split(b"\n"))
    added, deleted = signs[b"+"], signs[b"-"]
    valid = not after or parse_file_ok(after)
    shown = patch.decode("utf-8", "replace")  # git may cut a character in a hunk's heading
    return ChangedFile(entry.path, entry.status, added, deleted, shown, before, after, valid)
