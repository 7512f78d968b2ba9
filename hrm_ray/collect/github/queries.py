"""What a GraphQL answer says: GitHub answers nearly everything with 200, its limits and failures too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from hrm_ray.collect.github.rules import Outcome, is_limit

_LIMITS = {"RATE_LIMIT", "RATE_LIMITED"}


class _Error(BaseModel):
    message: str = ""
    type: str | None = None


class _Answer(BaseModel):
    data: dict[str, Any] | None = None
    errors: list[_Error] | None = None
    message: str = ""
    """What is said instead of data and errors, by what stands before GraphQL."""


def address(api: str) -> str:
    """Return where queries are sent; `api` is the address of REST."""
    return f"{api.rstrip('/').removesuffix('/v3') if '/api/v3' in api else api.rstrip('/')}/graphql"


def outcome(told: Any, headers: Mapping[str, str]) -> Outcome:  # noqa: ANN401 - a JSON tree
    """Return what came of a query that was answered with 200, whatever form `told` has."""
    try:
        answer = _Answer.model_validate(told)
    except ValidationError:
        return Outcome(fault="GitHub answers a query with something else", query=True)
    errors = answer.errors or []
    said = "; ".join(filter(None, [answer.message, *(error.message for error in errors)]))[:300]
    kinds = tuple(sorted({error.type or error.message for error in errors}))
    limited = is_limit(said) or not _LIMITS.isdisjoint(kinds)
    fault = "" if limited or errors or answer.data is not None else f"GitHub answers a query with nothing ({said})"
    return Outcome(200, headers, answer.data, said, kinds, fault, limited, query=True)
