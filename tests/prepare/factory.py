"""Handmade examples and pull requests."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from hrm_ray.collect.records import SCHEMA, ChangedFile, PullRequest, Repository, Request
from hrm_ray.prepare.dedup import fingerprint, text_digest
from hrm_ray.prepare.examples import Example
from hrm_ray.prepare.near import shingles, signature
from hrm_ray.prepare.shards import EXTRACTED, Shards, part_name, write

EXAMPLE = Example(
    id="0123456789abcdef",
    repository="acme/rocket",
    license="MIT",
    number=7,
    merged_at="2024-05-01T10:00:00Z",
    path="engine/start.go",
    change="modified",
    kinds=("function",),
    names=("Start",),
    is_test=False,
    comment_only=False,
    title="Refuse to start twice",
    body="A second start burnt the fuel.",
    outline="package engine\n\nfunc Start() error\n",
    before="func Start() error {\n\treturn nil\n}",
    anchor="",
    plan="guard add if running",
    code='func Start() error {\n\tif running {\n\t\treturn errors.New("already running")\n\t}\n\treturn nil\n}',
)


def example(**changes: Any) -> Example:
    """Return EXAMPLE with other values; its id follows from them unless it is given."""
    made = replace(EXAMPLE, **changes)
    return made if "id" in changes else replace(made, id=hashlib.sha256(repr(made).encode()).hexdigest()[:16])


def extracted(folder: Path, rows: list[tuple[Example, dict[str, str]]]) -> Shards:
    """Return the shards of examples as the first stage leaves them, with other columns where they are given."""
    made = [
        {
            **asdict(each),
            "fingerprint": fingerprint(each),
            "text_before": text_digest(each.before),
            "text_after": text_digest(each.code),
            "signature": signature(shingles(each)),
            "fork_of": "",
            "head_sha": "",
            "fold": "",
            **given,
        }
        for each, given in rows
    ]
    write(folder / "extracted" / part_name(0), made, EXTRACTED)
    return Shards(folder / "extracted")


def go_file(package: str, functions: dict[str, str]) -> str:
    return f"package {package}\n\n" + "\n".join(
        f"func {name}(a int) int {{\n{body}}}\n" for name, body in functions.items()
    )


def pull_request(repository: str, number: int, before: str, after: str, **request: Any) -> PullRequest:
    """Return a pull request with one file, merged on day `number` of a year of 400 days."""
    month, day = divmod(number, 28)
    merged = f"2024-{month % 12 + 1:02d}-{day + 1:02d}T08:00:00Z"
    head = hashlib.sha1(f"{repository}#{number}".encode()).hexdigest()
    described = Request(number, f"Change {number}", "", merged, merged, "a" * 40, head, False)
    status = "modified" if before else "added"
    file = ChangedFile(f"pkg/file{number}.go", status, 1, 1, "", before, after, True)
    return PullRequest(Repository(repository, "MIT"), replace(described, **request), (file,))


def history(repositories: int = 5, each: int = 4) -> list[PullRequest]:
    """Return pull requests that each change one function and add another."""
    made = []
    for repository in range(repositories):
        for number in range(each):
            tag = f"{repository}x{number}"
            old = {f"Get{tag}": f"\treturn a + {number}\n", f"Keep{tag}": "\treturn a\n"}
            new = old | {
                f"Get{tag}": f"\tif a < {repository} {{\n\t\treturn 0\n\t}}\n\treturn a + {number}\n",
                f"Put{tag}": f"\tb := a * {number}{repository}\n\treturn b\n",
            }
            name = f"acme/repo{repository}"
            made.append(pull_request(name, repository * each + number, go_file("pkg", old), go_file("pkg", new)))
    return made


def write_parquet(path: Path, pull_requests: list[PullRequest], group: int) -> Path:
    """Write row groups of `group` records, so that a small file has several."""
    table = pa.Table.from_pylist([asdict(record) for record in pull_requests], schema=SCHEMA)
    pq.write_table(table, path, row_group_size=group)
    return path
