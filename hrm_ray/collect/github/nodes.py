"""The parts of GitHub's GraphQL answers that we ask for."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic.alias_generators import to_camel

Item = TypeVar("Item")


class Graph(BaseModel):
    """Base of what GraphQL answers."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class Nodes(Graph, Generic[Item]):
    """A part of a connection, without what GitHub does not give: an issue of a private repository, for example."""

    nodes: list[Item]

    @field_validator("nodes", mode="before")
    @classmethod
    def _given(cls, nodes: Any) -> Any:  # noqa: ANN401 - a JSON tree
        return [node for node in nodes if node is not None] if isinstance(nodes, list) else nodes


class Actor(Graph):
    """Someone who wrote something: a name is read only to take it out of texts."""

    kind: str = Field(default="User", alias="__typename")
    login: str
    name: str | None = None


class Comment(Graph):
    """What someone said."""

    body: str
    created_at: str
    author: Actor | None = None


class Review(Comment):
    """What a reviewer said of the whole, and of lines."""

    comments: Nodes[Comment]


class Rollup(Graph):
    """What all checks of a commit came to."""

    state: str


class Checked(Graph):
    """A commit and its checks."""

    status_check_rollup: Rollup | None = None


class Oid(Graph):
    """An object that is only named."""

    oid: str


class Merge(Checked):
    """The commit by which a pull request entered its base."""

    oid: str
    parents: Nodes[Oid]


class Head(Graph):
    """The newest commit of a pull request."""

    commit: Checked


class Label(Graph):
    """A label."""

    name: str


class ClosedIssue(Graph):
    """An issue that a pull request closed."""

    number: int
    title: str
    body: str


class Changed(Graph):
    """A changed file, as GraphQL lists it: without a patch."""

    path: str
    change_type: str
    additions: int
    deletions: int


class Numbered(Graph):
    """A pull request that is only named."""

    number: int


class Pull(Numbered):
    """A merged pull request without what it changed."""

    title: str
    body: str
    created_at: str
    merged_at: str
    base_ref_oid: str
    head_ref_oid: str
    head_ref_name: str
    changed_files: int
    additions: int
    deletions: int
    author: Actor | None = None
    participants: Nodes[Actor] | None = None
    merge_commit: Merge | None = None
    commits: Nodes[Head] | None = None
    labels: Nodes[Label] | None = None
    closing_issues_references: Nodes[ClosedIssue] | None = None
    files: Nodes[Changed] | None = None
    comments: Nodes[Comment] | None = None
    reviews: Nodes[Review] | None = None


class PageInfo(Graph):
    """Where the next page begins."""

    end_cursor: str | None = None
    has_next_page: bool


class Listing(Graph, Generic[Item]):
    """A page of pull requests; one is null where GitHub could not give it."""

    nodes: list[Item | None]
    page_info: PageInfo


class Repository(Graph, Generic[Item]):
    """A repository with a page of its pull requests."""

    pull_requests: Listing[Item]


class Listed(Graph, Generic[Item]):
    """The answer to a query for one page."""

    repository: Repository[Item]


class Blob(Graph):
    """A file's content; `text` is null of one that is no text."""

    oid: str
    byte_size: int
    is_binary: bool | None = None
    is_truncated: bool = False
    text: str | None = None
