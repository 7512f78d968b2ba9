"""The pull-request record and its Parquet and JSONL forms.

The schema is that of `docs/formats.md`; no author names and no addresses.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa


@dataclass(frozen=True)
class Repository:
    """Where a pull request was merged; `full_name` is `owner/name`, `license` an SPDX id."""

    full_name: str
    license: str


@dataclass(frozen=True)
class Request:
    """What the pull request says of itself; times are ISO 8601 in UTC."""

    number: int
    title: str
    body: str
    created_at: str
    merged_at: str
    base_sha: str
    head_sha: str
    is_bot: bool


@dataclass(frozen=True)
class ChangedFile:
    """One changed file; contents are empty where the file does not exist on that side."""

    filename: str
    status: str
    additions: int
    deletions: int
    patch: str
    content_before: str
    content_after: str
    valid_syntax: bool


@dataclass(frozen=True)
class PullRequest:
    """One merged pull request."""

    repo: Repository
    pull_request: Request
    files: tuple[ChangedFile, ...]


SCHEMA = pa.schema(
    [
        ("repo", pa.struct([("full_name", pa.string()), ("license", pa.string())])),
        (
            "pull_request",
            pa.struct(
                [
                    ("number", pa.int32()),
                    ("title", pa.string()),
                    ("body", pa.string()),
                    ("created_at", pa.string()),
                    ("merged_at", pa.string()),
                    ("base_sha", pa.string()),
                    ("head_sha", pa.string()),
                    ("is_bot", pa.bool_()),
                ]
            ),
        ),
        (
            "files",
            pa.list_(
                pa.struct(
                    [
                        ("filename", pa.string()),
                        ("status", pa.string()),
                        ("additions", pa.int32()),
                        ("deletions", pa.int32()),
                        ("patch", pa.string()),
                        ("content_before", pa.string()),
                        ("content_after", pa.string()),
                        ("valid_syntax", pa.bool_()),
                    ]
                )
            ),
        ),
    ]
)
