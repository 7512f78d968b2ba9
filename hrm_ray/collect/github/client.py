"""Asking GitHub: one request after the other, as it wants, each asked again as long as `rules.py` says so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

import httpx
from githubkit import GitHub
from githubkit.exception import GraphQLFailed, RateLimitExceeded, RequestError, RequestFailed
from githubkit.response import Response

from hrm_ray.collect.github import rules
from hrm_ray.collect.github.clock import Clock
from hrm_ray.collect.github.rules import Outcome, Wait
from hrm_ray.collect.github.token import Bearer

TIMEOUT = 30.0
"""Seconds to wait for a connection, and for each further part of an answer."""


class Client:
    """GitHub at `api`, for the length of a `with` block; `said` is told whenever a wait begins."""

    def __init__(
        self, api: str, token: Bearer, clock: Clock, said: Callable[[str], None], timeout: float = TIMEOUT
    ) -> None:
        self.requests = 0
        """How many were sent, those that were asked again included."""
        self._left: dict[str, tuple[int, int]] = {}
        """Requests left and the time of the reset, by GitHub's name of the resource."""
        self._clock, self._said = clock, said
        self._open = ExitStack()
        hooks: dict[str, list[Callable[..., Any]]] = {"request": [self._sent], "response": [self._answered]}
        self._github = GitHub(
            token, base_url=api, user_agent="hrm-ray", timeout=timeout, http_cache=False, auto_retry=False,
            event_hooks=hooks,
        )  # fmt: skip

    def __enter__(self) -> Self:
        self._open.enter_context(self._github)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def get(self, path: str, etag: str = "", **parameters: str | int) -> Outcome:
        """Return the answer of a REST address; its status is 304 where nothing changed since `etag`.

        Raises:
            Failure: GitHub does not give it; Missing where it is not there.
            UserError: the token is not accepted, or GitHub cannot be reached.
        """
        headers = {"If-None-Match": etag} if etag else {}

        def ask() -> Outcome:
            response = self._github.request("GET", path, params=parameters, headers=headers)
            data = None if response.status_code == 304 else response.json()
            return Outcome(response.status_code, response.headers, data)

        return self._settled(ask)

    def query(self, text: str, variables: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a JSON tree
        """Return the data of a GraphQL answer; parts that GitHub could not give are null.

        Raises:
            TooMuch: the query must be made smaller.
            Failure, UserError: as of `get`.
        """
        return self._settled(lambda: self._queried(text, variables)).data

    @property
    def budget(self) -> str:
        """How many requests are left, and when there will be more, in words; empty before the first answer."""
        if not self._left:
            return ""
        left, reset = min(self._left.values())
        minutes = max(reset - self._clock.now(), 0) / 60
        return f"{left:,} requests left, reset in {minutes:.0f} min"

    def _queried(self, text: str, variables: Mapping[str, Any]) -> Outcome:
        try:
            return Outcome(200, data=self._github.graphql.request(text, dict(variables)), query=True)
        except GraphQLFailed as error:
            found = error.response.errors or []
            said = "; ".join(each.message for each in found)
            kinds = tuple(sorted({each.type or each.message for each in found}))
            return Outcome(200, data=error.response.data, message=said, errors=kinds, query=True)
        except RequestFailed as error:
            return replace(_refusal(error), query=True)

    def _settled(self, ask: Callable[[], Outcome]) -> Outcome:
        tries = 0
        while True:
            outcome = _tried(ask)
            step = rules.step(outcome, tries, self._clock.now())
            if step is None:
                return outcome
            if isinstance(step, Exception):
                raise step
            self._wait(step)
            tries += 1

    def _wait(self, wait: Wait) -> None:
        until = datetime.fromtimestamp(self._clock.now() + wait.seconds, UTC)
        self._said(f"{wait.why}; waiting until {until:%H:%M:%S} UTC")
        self._clock.sleep(wait.seconds)

    def _sent(self, request: httpx.Request) -> None:  # noqa: ARG002 - httpx calls it in this form
        self.requests += 1

    def _answered(self, response: httpx.Response) -> None:
        said = response.headers
        left, reset = said.get("x-ratelimit-remaining", ""), said.get("x-ratelimit-reset", "")
        if left.isdigit() and reset.isdigit() and said.get("x-ratelimit-resource") != "search":
            self._left[said.get("x-ratelimit-resource", "core")] = int(left), int(reset)


def _tried(ask: Callable[[], Outcome]) -> Outcome:
    """Ask once; what is raised becomes an outcome, without the request, whose head holds the token."""
    try:
        return ask()
    except RequestFailed as error:
        return _refusal(error)
    except RequestError as error:
        why = str(error.exc) or type(error.exc).__name__
        return Outcome(fault=f"the connection broke ({why})", reached=not isinstance(error.exc, httpx.ConnectError))
    except ValueError:
        return Outcome(fault="GitHub answers with something that is not JSON; is collect.github.api its address?")


def _refusal(error: RequestFailed) -> Outcome:
    response = error.response
    message = _message(response)
    limited = (
        isinstance(error, RateLimitExceeded)
        or response.status_code == 429
        or (response.status_code == 403 and ("rate limit" in message.lower() or "abuse" in message.lower()))
    )
    return Outcome(response.status_code, response.headers, message=message, limited=limited)


def _message(response: Response[Any, Any]) -> str:
    """GitHub's own words, on one line; empty where the answer is of something else, a proxy for example."""
    try:
        told = response.json()
    except ValueError:
        return ""
    return " ".join(str(told.get("message", "")).split())[:300] if isinstance(told, dict) else ""
