"""Merged pull requests, a page at a time, with everything that they say of themselves and nothing of what changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hrm_ray.collect.github.answers import read
from hrm_ray.collect.github.client import Client
from hrm_ray.collect.github.nodes import Listed, Numbered, PageInfo, Pull
from hrm_ray.collect.github.rules import Outcome, Unable

PER_PAGE = 20
"""Pull requests that are asked for at once, while GitHub can compute that many."""

_COMMENTS = """
comments(first: 50) { nodes { body createdAt author { __typename login } } }
reviews(first: 30) {
  nodes {
    body createdAt author { __typename login }
    comments(first: 20) { nodes { body createdAt author { __typename login } } }
  }
}
"""

_LISTED = """
query %s($owner: String!, $name: String!, $size: Int!, $after: String) {
  repository(owner: $owner, name: $name) {
    pullRequests(states: MERGED, first: $size, after: $after, orderBy: {field: CREATED_AT, direction: DESC}) {
      pageInfo { endCursor hasNextPage }
      nodes { %s }
    }
  }
}
"""

_WHOLE = """
number title body createdAt mergedAt baseRefOid headRefOid headRefName changedFiles additions deletions
author { __typename login ... on User { name } }
participants(first: 20) { nodes { __typename login name } }
mergeCommit { oid parents(first: 1) { nodes { oid } } statusCheckRollup { state } }
commits(last: 1) { nodes { commit { statusCheckRollup { state } } } }
labels(first: 20) { nodes { name } }
closingIssuesReferences(first: 5) { nodes { number title body } }
files(first: 100) { nodes { path changeType additions deletions } }
"""


@dataclass(frozen=True)
class Page:
    """Pull requests, and where the next page begins."""

    pulls: Sequence[Pull]
    unread: Mapping[str, str]
    """Why one cannot be read, by its number."""
    end: str | None
    is_last: bool


class Pages:
    """The merged pull requests of one repository, the newest first (by when they were opened, which never changes)."""

    def __init__(self, client: Client, repository: str, comments: bool) -> None:
        owner, name = repository.split("/")
        self._client, self._repository = client, {"owner": owner, "name": name}
        self._query = _LISTED % ("PullRequests", _WHOLE + _COMMENTS * comments)
        self._size = PER_PAGE
        self._refusals = Counter[int]()
        """In a row, by size of page: after each it takes twice as many pages until that size is asked for again."""
        self._pages = 0
        """Since the last refusal."""

    def after(self, cursor: str | None) -> Page:
        """Return the page that begins after `cursor`, the first after None; halved until GitHub can give it whole.

        Raises:
            Failure: GitHub does not even tell the number of the next one.
        """
        while True:
            try:
                page = self._page(cursor)
                break
            except Unable as error:
                if self._size == 1:
                    page = self._passed_over(cursor, str(error))
                    break
            self._refusals[self._size] += 1
            self._size, self._pages = self._size // 2, 0
        self._grow()
        return page

    def _grow(self) -> None:
        """Ask for more at once, after a page that was given, unless that was refused of late."""
        self._pages += 1
        for size in [size for size in self._refusals if size <= self._size]:
            del self._refusals[size]
        larger = min(2 * self._size, PER_PAGE)
        if 2 * self._pages >= 2 ** self._refusals[larger]:
            self._size = larger

    def _page(self, cursor: str | None) -> Page:
        outcome = self._asked(self._query, cursor)
        listed = read(Listed[Pull], outcome.data).repository.pull_requests
        pulls = [pull for pull in listed.nodes if pull]
        if len(pulls) < len(listed.nodes):
            raise Unable(f"GitHub does not give it ({outcome.message or 'no reason given'})")
        return _paged(listed.page_info, cursor, pulls, {})

    def _passed_over(self, cursor: str | None, why: str) -> Page:
        """A page of the one pull request that cannot be read."""
        outcome = self._asked(_LISTED % ("Numbers", "number"), cursor)
        listed = read(Listed[Numbered], outcome.data).repository.pull_requests
        numbers = [str(each.number) if each else f"of unknown number, after {cursor}" for each in listed.nodes]
        return _paged(listed.page_info, cursor, [], dict.fromkeys(numbers, why))

    def _asked(self, query: str, cursor: str | None) -> Outcome:
        return self._client.query(query, {**self._repository, "size": self._size, "after": cursor})


def _paged(info: PageInfo, cursor: str | None, pulls: Sequence[Pull], unread: Mapping[str, str]) -> Page:
    return Page(pulls, unread, info.end_cursor, not info.has_next_page or info.end_cursor == cursor)
