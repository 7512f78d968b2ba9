"""The parts of GitHub's REST answers that we read; everything else in them is ignored."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from hrm_ray.collect.github.rules import Unable

Form = TypeVar("Form", bound=BaseModel)


class License(BaseModel):
    """Of a repository; `spdx_id` is NOASSERTION for a text that GitHub does not know."""

    spdx_id: str | None = None


class Named(BaseModel):
    """A repository that another one names."""

    full_name: str


class Listed(BaseModel):
    """A repository, alone or in a list; `source` comes alone only, and only of a fork."""

    full_name: str
    fork: bool = False
    archived: bool = False
    language: str | None = None
    stargazers_count: int = 0
    license: License | None = None
    source: Named | None = None


class Found(BaseModel):
    """A page of a search."""

    total_count: int
    incomplete_results: bool = False
    items: list[Listed]


class Difference(BaseModel):
    """A file that a pull request changed; `patch` is absent where there is none or it is too large."""

    filename: str
    status: str
    additions: int
    deletions: int
    patch: str | None = None
    previous_filename: str | None = None


class Commit(BaseModel):
    """A commit that is only named."""

    sha: str


class Comparison(BaseModel):
    """Two commits compared; GitHub lists 300 files at most."""

    merge_base_commit: Commit
    files: list[Difference] = []


class Raw(BaseModel):
    """The content of a file in base64."""

    content: str
    encoding: str


def read(form: type[Form], data: Any) -> Form:  # noqa: ANN401 - a JSON tree
    """Return a part of an answer in the form that it should have.

    Raises:
        Unable: it has another one.
    """
    try:
        return form.model_validate(data)
    except ValidationError as error:
        place = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise Unable(f"GitHub's answer has an unknown form ({place}: {error.errors()[0]['msg']})") from None
