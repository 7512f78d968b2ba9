"""Merged pull requests, a page at a time, with everything that they say of themselves and nothing of what changed."""

from __future__ import annotations

from hrm_ray.collect.github.answers import read
from hrm_ray.collect.github.client import Client
from hrm_ray.collect.github.nodes import Pulls
from hrm_ray.collect.github.rules import Failure, TooMuch

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

_QUERY = """
query PullRequests($owner: String!, $name: String!, $size: Int!, $after: String) {
  repository(owner: $owner, name: $name) {
    pullRequests(states: MERGED, first: $size, after: $after, orderBy: {field: CREATED_AT, direction: DESC}) {
      totalCount
      pageInfo { endCursor hasNextPage }
      nodes {
        number title body createdAt mergedAt baseRefOid headRefOid headRefName changedFiles additions deletions
        author { __typename login ... on User { name } }
        participants(first: 20) { nodes { __typename login name } }
        mergeCommit { oid parents(first: 1) { nodes { oid } } statusCheckRollup { state } }
        commits(last: 1) { nodes { commit { statusCheckRollup { state } } } }
        labels(first: 20) { nodes { name } }
        closingIssuesReferences(first: 5) { nodes { number title body } }
        files(first: 100) { nodes { path changeType additions deletions } }%s
      }
    }
  }
}
"""


class Pages:
    """The merged pull requests of one repository, the newest first (by when they were opened, which never changes)."""

    def __init__(self, client: Client, repository: str, comments: bool) -> None:
        owner, name = repository.split("/")
        self._client, self._repository = client, {"owner": owner, "name": name}
        self._query = _QUERY % (_COMMENTS if comments else "")
        self._size = PER_PAGE

    def after(self, cursor: str | None) -> Pulls:
        """Return the page that begins after `cursor`, the first after None; halved until GitHub can compute it whole.

        Raises:
            Failure: GitHub does not give it, not even a page of one.
        """
        while True:
            try:
                page = self._page(cursor)
            except TooMuch as error:
                if self._size == 1:
                    raise Failure(str(error)) from error
                page = None
            if page and (self._size == 1 or None not in page.nodes):
                self._size = min(2 * self._size, PER_PAGE)
                return page
            self._size //= 2

    def _page(self, cursor: str | None) -> Pulls:
        data = self._client.query(self._query, {**self._repository, "size": self._size, "after": cursor})
        return read(Pulls, (data["repository"] or {}).get("pullRequests"))
