"""The pull requests in a clone's history, read from squash and merge commits.

A pull request changes `base`..`head`: a squash commit and its parent, or a merge's second parent and where its branch
began. Author names and addresses are read to tell bots from people, and never kept.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

from hrm_ray.collect import filters, messages
from hrm_ray.collect.commits import Commits, Merged
from hrm_ray.collect.differences import PATCHES, RAW, Entry, entries, with_patches
from hrm_ray.collect.filters import Dropped
from hrm_ray.collect.forges import MADE_UP
from hrm_ray.collect.git import Clone, Differences, Objects, utc
from hrm_ray.collect.licenses import FolderLicenses, joined, licensed
from hrm_ray.collect.messages import People
from hrm_ray.collect.records import ChangedFile, PullRequest, Repository, Request
from hrm_ray.config import Clean
from hrm_ray.golang.syntax import parse_file_ok

_REPEATED = "pull request that an older commit names too"
_CARRIED = "pull request that only carries others"

MOST_COMMITS = 30
"""Commits of a branch whose messages make the body of a merge that says nothing itself."""

_PERSON = re.compile(rb"^(author|committer) (.*) (-?\d+) [+-]\d+$", re.MULTILINE)
_ENCODING = re.compile(rb"^encoding (\S+)$", re.MULTILINE)


def pull_requests(
    clone: Clone,
    commits: Commits,
    merged: Iterable[Merged],
    most: int,
    settings: Clean,
    drops: Counter[str],
    looked_at: Callable[[], None],
) -> Iterator[PullRequest]:
    """Yield at most `most` of `merged` that pass the filters of `settings`, in their order.

    `drops` counts by reason what is left out; `looked_at` is called for each one, kept or not.

    Raises:
        UserError: the clone is damaged or lacks trees; missing contents only drop the pull requests that need them.
    """
    with ExitStack() as stack:
        objects = stack.enter_context(Objects(clone))
        listed, compared = (stack.enter_context(Differences(clone, *options)) for options in (RAW, PATCHES))
        licenses, people = FolderLicenses(clone, objects), People(commits.people)
        repository = Repository(clone.name, licenses.root)
        look = _Look(repository, licenses, people, objects, listed, compared, settings, drops, commits.changes)
        taken = _Taken()
        for one in merged:
            looked_at()
            try:
                taken.check(one)
                yield taken.numbered(one, look.at(one))
            except Dropped as reason:
                drops[str(reason)] += 1
                continue
            if len(taken.numbers) == most:
                return


class _Taken:
    """The pull requests that were taken: each once, and each with a number of its own."""

    def __init__(self) -> None:
        self.numbers: set[int] = set()
        self._titles: dict[tuple[str, int], str] = {}

    def check(self, merged: Merged) -> None:
        """Refuse what a look cannot make acceptable."""
        if merged.again:
            raise Dropped("pull request whose commits an older one merged too")
        if merged.key in self._titles and not merged.sure:
            raise Dropped(_REPEATED)

    def numbered(self, merged: Merged, pull_request: PullRequest) -> PullRequest:
        """Take one, with another number where a pull request of another forge or repository has its own already."""
        request = pull_request.pull_request
        if self._titles.get(merged.key) == request.title:
            raise Dropped(_REPEATED)
        self._titles.setdefault(merged.key, request.title)
        number = request.number
        while number in self.numbers:
            number += MADE_UP if number < MADE_UP else 1
        self.numbers.add(number)
        return replace(pull_request, pull_request=replace(request, number=number))


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
    licenses: FolderLicenses
    people: People
    objects: Objects
    listed: Differences
    compared: Differences
    settings: Clean
    drops: Counter[str]
    changes: Callable[[int], list[tuple[str, str]]]
    """`Commits.changes`."""
    _carried: dict[int, frozenset[str]] = field(default_factory=dict)
    """The files that a carried pull request changes, by its position."""

    def at(self, merged: Merged) -> PullRequest:
        """Read one; Dropped where the filters refuse it."""
        if not merged.base:
            raise Dropped("pull request whose base is not in the clone")
        if merged.carried and not merged.branch:
            raise Dropped(_CARRIED)
        request = self._request(merged)
        others, listed = self._of_others(merged.carried), self._entries(merged.base, merged.head)
        changed = [entry for entry in listed if entry.path not in others]
        if others and not changed:
            raise Dropped(_CARRIED)
        filters.check_entries(changed, self.settings)
        own = {oid for entry in changed for oid in (entry.before, entry.after)}
        read = ((oid, self._content(oid)) for entry in listed for oid in (entry.before, entry.after))
        contents = {oid: content for oid, content in read if oid in own}  # where one of the others is missing, git ends
        files = []
        for entry, patch in with_patches(self.compared.between(merged.base, merged.head)):
            try:
                if entry.path in others or entry.before not in contents:  # what it renames may be of another
                    raise Dropped("file that a carried pull request changes too")
                files.append(self._licensed(_file(entry, contents, patch, self.settings), entry, merged))
            except Dropped as reason:
                self.drops[str(reason)] += 1
        filters.check_files(files, self.settings)
        return PullRequest(self.repository, request, tuple(files))

    def _entries(self, base: str, head: str) -> list[Entry]:
        return entries(self.listed.between(base, head))

    def _of_others(self, carried: Iterable[int]) -> set[str]:
        """The files that pull requests at these positions change."""
        for at in carried:
            if at not in self._carried:
                changed = (entry.path for pair in self.changes(at) for entry in self._entries(*pair))
                self._carried[at] = frozenset(changed)
        return set().union(*(self._carried[at] for at in carried))

    def _licensed(self, file: ChangedFile, entry: Entry, merged: Merged) -> ChangedFile:
        before = self.licenses.own(entry.old_path or entry.path, merged.base)
        folder = joined(before, self.licenses.own(entry.path, merged.head))
        return licensed(file, folder, self.repository.license, self.settings)

    def _request(self, merged: Merged) -> Request:
        commit, head = self._commit(merged.commit), self._commit(merged.head)
        branch = messages.branch(commit.message)
        title, body = messages.problem(commit.message, merged.number)
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
