"""Which files a pull request changed, and against which commit.

`base` is the merge base of the head and of what the pull request was merged into: the first parent of the commit that
merged it, which is right for squash and merge commits and for the last commit of a rebase. GitHub's own `base.sha` is
not: it is where the base branch happened to be. It serves where that commit is missing, or gives other changes than
those that GitHub counted when it merged; files, patches and contents then all come from the same two commits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hrm_ray.collect import filters
from hrm_ray.collect.differences import Entry
from hrm_ray.collect.filters import Dropped
from hrm_ray.collect.github.answers import Comparison, Difference, read
from hrm_ray.collect.github.client import Client
from hrm_ray.collect.github.nodes import Pull
from hrm_ray.collect.github.rules import Missing, Unable
from hrm_ray.config import Clean
from hrm_ray.golang.files import is_generated_name, is_skipped

MOST_LISTED = 3000
"""Files of a pull request that GitHub lists."""

MOST_COMPARED = 300
"""Files of a comparison that GitHub lists."""

PER_PAGE = 100

_STATUS = {"ADDED": "added", "DELETED": "removed", "MODIFIED": "modified", "RENAMED": "renamed"}
_KEPT = frozenset(_STATUS.values())


@dataclass(frozen=True)
class Changes:
    """The Go files that people wrote and a pull request changed from `base` to its head."""

    base: str
    files: tuple[Difference, ...]


def check_listing(pull: Pull, limits: Clean) -> None:
    """Refuse, before anything else is asked for, what no content can make acceptable.

    Raises:
        Dropped: the sizes and names of the files are reason enough.
    """
    if pull.changed_files >= MOST_LISTED:
        raise Dropped(f"pull request with {MOST_LISTED:,} files or more, which GitHub does not list whole")
    if not _is_whole(pull):
        return
    listed = [each for each in pull.files.nodes if is_written(each.path)] if pull.files else []
    filters.check_entries([Entry(each.path, _STATUS.get(each.change_type, "other"), "", "") for each in listed], limits)
    if sum(each.additions for each in listed) < limits.added_lines[0]:
        raise Dropped("pull request with too few added lines")


def changes(client: Client, repository: str, pull: Pull, limits: Clean) -> Changes:
    """Return what a pull request changed: one request, two where its base has to be guessed.

    Raises:
        Dropped: the filters refuse it, or GitHub cannot show any more what it changed.
        Failure: GitHub does not answer; Unable where it fails at this one pull request.
    """
    found = _found(client, repository, pull, limits)
    entries = [Entry(each.filename, each.status if each.status in _KEPT else "other", "", "") for each in found.files]
    filters.check_entries(entries, limits)
    return found


def _found(client: Client, repository: str, pull: Pull, limits: Clean) -> Changes:
    reason = "pull request whose commits are not on GitHub"
    for base in _bases(pull):
        try:
            address = f"repos/{repository}/compare/{base}...{pull.head_ref_oid}"
            compared = read(Comparison, client.get(address, per_page=1).data)  # one commit, and all files
        except Missing:
            continue
        listed = compared.files
        if pull.changed_files > MOST_COMPARED:
            listed = list(_listed(client, repository, pull, limits))
        files = tuple(each for each in listed if is_written(each.filename) and each.status != "unchanged")
        if _agree(files, pull):
            return Changes(compared.merge_base_commit.sha, files)
        reason = "pull request whose changes GitHub no longer shows as they were merged"
    raise Dropped(reason)


def is_written(path: str) -> bool:
    """Whether a path is that of a Go file that people wrote for this repository."""
    return path.endswith(".go") and not is_skipped(path) and not is_generated_name(path)


def _bases(pull: Pull) -> list[str]:
    """Commits of which one holds the state before, the likelier first."""
    merge = pull.merge_commit
    parents = [parent.oid for parent in merge.parents.nodes] if merge and merge.oid != pull.head_ref_oid else []
    return list(dict.fromkeys([*parents[:1], pull.base_ref_oid]))


def _listed(client: Client, repository: str, pull: Pull, limits: Clean) -> Iterator[Difference]:
    """The files of a large pull request, no further than it takes to see that there are too many."""
    written = 0
    for page in range(1, -(-pull.changed_files // PER_PAGE) + 1):
        answer = client.get(f"repos/{repository}/pulls/{pull.number}/files", per_page=PER_PAGE, page=page)
        if not isinstance(answer.data, list):
            raise Unable("GitHub's answer has an unknown form (files is not a list)")
        for each in answer.data:
            difference = read(Difference, each)
            written += is_written(difference.filename)
            yield difference
        if written > 2 * limits.go_files[1]:
            return


def _agree(files: Sequence[Difference], pull: Pull) -> bool:
    """Whether these are the changes that GitHub counted when it merged, as far as it listed them."""
    found = {each.filename: (each.additions, each.deletions) for each in files}
    counted = pull.files.nodes if pull.files else []
    expected = {each.path: (each.additions, each.deletions) for each in counted if is_written(each.path)}
    return found == expected if _is_whole(pull) else expected.items() <= found.items()


def _is_whole(pull: Pull) -> bool:
    return pull.files is not None and len(pull.files.nodes) == pull.changed_files
