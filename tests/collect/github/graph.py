"""The GraphQL side of the small GitHub: a real executor over the part of GitHub's schema that we ask about.

Types, fields and arguments are those of GitHub's published schema, of which `test_schema.py` makes sure.
"""

from __future__ import annotations

from typing import Any

from graphql import GraphQLError, build_schema, graphql_sync

from tests.collect.github.world import Commit, Pull, Repo, World, object_id

SCHEMA = build_schema("""
scalar DateTime
scalar GitObjectID
enum PullRequestState { CLOSED MERGED OPEN }
enum IssueOrderField { COMMENTS CREATED_AT UPDATED_AT }
enum OrderDirection { ASC DESC }
enum PatchStatus { ADDED CHANGED COPIED DELETED MODIFIED RENAMED }
enum StatusState { ERROR EXPECTED FAILURE PENDING SUCCESS }
input IssueOrder { direction: OrderDirection!, field: IssueOrderField! }
type Query { repository(owner: String!, name: String!): Repository }
type Repository {
  nameWithOwner: String!
  object(expression: String): GitObject
  pullRequests(states: [PullRequestState!], first: Int, after: String, orderBy: IssueOrder): PullRequestConnection!
}
interface GitObject { oid: GitObjectID! }
type Tree implements GitObject { oid: GitObjectID! }
type Blob implements GitObject {
  oid: GitObjectID!, byteSize: Int!, isBinary: Boolean, isTruncated: Boolean!, text: String
}
type PageInfo { endCursor: String, hasNextPage: Boolean! }
type PullRequestConnection { totalCount: Int!, pageInfo: PageInfo!, nodes: [PullRequest] }
interface Actor { login: String! }
type User implements Actor { login: String!, name: String }
type Bot implements Actor { login: String! }
type UserConnection { nodes: [User] }
type CommitConnection { nodes: [Commit] }
type StatusCheckRollup { state: StatusState! }
type Commit { oid: GitObjectID!, parents(first: Int): CommitConnection!, statusCheckRollup: StatusCheckRollup }
type PullRequestCommit { commit: Commit! }
type PullRequestCommitConnection { nodes: [PullRequestCommit] }
type Label { name: String! }
type LabelConnection { nodes: [Label] }
type Issue { number: Int!, title: String!, body: String! }
type IssueConnection { nodes: [Issue] }
type PullRequestChangedFile { path: String!, changeType: PatchStatus!, additions: Int!, deletions: Int! }
type PullRequestChangedFileConnection { nodes: [PullRequestChangedFile] }
type IssueComment { body: String!, createdAt: DateTime!, author: Actor }
type IssueCommentConnection { nodes: [IssueComment] }
type PullRequestReview {
  body: String!, createdAt: DateTime!, author: Actor, comments(first: Int): PullRequestReviewCommentConnection!
}
type PullRequestReviewConnection { nodes: [PullRequestReview] }
type PullRequestReviewComment { body: String!, createdAt: DateTime!, author: Actor }
type PullRequestReviewCommentConnection { nodes: [PullRequestReviewComment] }
type Ref { name: String! }
type PullRequest {
  number: Int!, title: String!, body: String!, createdAt: DateTime!, mergedAt: DateTime, changedFiles: Int!
  baseRefOid: GitObjectID!, headRefOid: GitObjectID!, headRefName: String!
  headRef: Ref, headRepository: Repository
  additions: Int!, deletions: Int!, author: Actor, mergeCommit: Commit
  participants(first: Int): UserConnection!
  commits(last: Int): PullRequestCommitConnection!
  labels(first: Int): LabelConnection
  closingIssuesReferences(first: Int): IssueConnection
  files(first: Int): PullRequestChangedFileConnection
  comments(first: Int): IssueCommentConnection!
  reviews(first: Int): PullRequestReviewConnection
}
""")

Answer = dict[str, Any]

TRUNCATED = 500_000
"""Characters of a blob that GraphQL gives, roughly."""

_STATUS = {"added": "ADDED", "removed": "DELETED", "modified": "MODIFIED", "renamed": "RENAMED"}


def answer(world: World, query: str, variables: dict[str, Any]) -> Answer:
    """The whole answer to a query, errors in GitHub's form."""
    done = graphql_sync(SCHEMA, query, _Root(world), variable_values=variables)
    told: dict[str, Any] = {"data": done.data}
    if done.errors:
        told["errors"] = [
            {"message": error.message, "path": error.path} | (error.extensions or {}) for error in done.errors
        ]
    return told


class _Root:
    def __init__(self, world: World) -> None:
        self._world = world

    def repository(self, info: object, owner: str, name: str) -> _Repository:
        repo = self._world.repositories.get(f"{owner}/{name}")
        if repo is None:
            raise GraphQLError("Could not resolve to a Repository.", extensions={"type": "NOT_FOUND"})
        return _Repository(repo)


class _Repository:
    def __init__(self, repo: Repo) -> None:
        self._repo = repo
        self.nameWithOwner = repo.full_name

    def object(self, info: Any, expression: str) -> Answer | None:
        sha, path = expression.split(":", 1)
        commit = self._repo.commits.get(self._repo.main if sha == "HEAD" else sha)
        if commit is None or path in self._repo.missing:
            return None
        content = commit.tree.get(path)
        if content is None:
            is_folder = any(name.startswith(f"{path}/") for name in commit.tree)
            return {"__typename": "Tree", "oid": sha} if is_folder else None
        text = None if b"\0" in content else content.decode("utf-8", "replace")
        return {
            "__typename": "Blob", "oid": object_id(content), "byteSize": len(content), "isBinary": text is None,
            "isTruncated": len(content) > TRUNCATED, "text": text and text[:TRUNCATED],
        }  # fmt: skip

    def pullRequests(  # noqa: N802 - GitHub's name
        self,
        info: Any,
        states: list[str],
        first: int,
        orderBy: dict[str, str],  # noqa: N803
        after: str | None = None,
    ) -> Answer:
        assert (states, orderBy) == (["MERGED"], {"field": "CREATED_AT", "direction": "DESC"})
        every = [pull for pull in reversed(self._repo.pulls) if after is None or pull.number < int(after)]
        page = every[:first]
        cursor = str(page[-1].number) if page else None
        return {
            "totalCount": len(self._repo.pulls),
            "pageInfo": {"endCursor": cursor, "hasNextPage": len(every) > first},
            "nodes": [_pull(self._repo, pull) for pull in page],
        }


def _pull(repo: Repo, pull: Pull) -> Answer:
    changes = repo.of_pull(pull)
    files = [
        {
            "path": each.path,
            "changeType": _STATUS[each.status],
            "additions": each.count("+"),
            "deletions": each.count("-"),
        }
        for each in changes
    ]
    kind, login, name = pull.author or ("", "", None)
    return {
        "number": pull.number, "title": pull.title, "body": pull.body,
        "createdAt": _time(1, pull), "mergedAt": _time(2, pull),
        "baseRefOid": pull.base, "headRefOid": pull.head, "headRefName": pull.branch,
        "headRef": None if pull.fork_is_gone else {"name": pull.branch},
        "headRepository": None if pull.fork_is_gone else _Repository(repo),
        "changedFiles": len(changes) if pull.files is None else pull.files,
        "additions": sum(file["additions"] for file in files), "deletions": sum(file["deletions"] for file in files),
        "author": {"__typename": kind, "login": login, "name": name} if kind else None,
        "participants": _nodes([{"__typename": "User", "login": who, "name": name} for who, name in pull.participants]),
        "mergeCommit": _commit(repo.commits[pull.merged], repo) if pull.merged else None,
        "commits": _nodes([{"commit": _commit(repo.commits[pull.head], repo)}]),
        "labels": _nodes([{"name": label} for label in pull.labels]),
        "closingIssuesReferences": _nodes([_issue(each) for each in pull.issues]),
        "files": _nodes(files[:100]),
        "comments": _nodes([_said(*each) for each in pull.comments]),
        "reviews": _nodes(
            [_said(*each[:3]) | {"comments": _nodes([_said(*line) for line in each[3]])} for each in pull.reviews]
        ),
    }  # fmt: skip


def _time(month: int, pull: Pull) -> str:
    return f"2026-{month:02d}-01T00:{pull.number // 60:02d}:{pull.number % 60:02d}Z"


def _commit(commit: Commit, repo: Repo) -> Answer:
    parents = [{"oid": sha, "parents": _nodes([]), "statusCheckRollup": None} for sha in commit.parents]
    return {
        "oid": commit.sha,
        "parents": _nodes(parents[:1]),
        "statusCheckRollup": {"state": commit.ci} if commit.ci else None,
    }


def _issue(issue: tuple[int, str, str] | None) -> Answer | None:
    return issue and dict(zip(("number", "title", "body"), issue, strict=True))


def _said(when: str, login: str, body: str) -> Answer:
    kind = "Bot" if login.endswith("[bot]") else "User"
    return {"body": body, "createdAt": when, "author": {"__typename": kind, "login": login, "name": None}}


def _nodes(things: list[Any]) -> Answer:
    return {"nodes": things}
