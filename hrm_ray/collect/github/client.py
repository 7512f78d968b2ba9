"""Asking GitHub: one request after the other, as it wants, each asked again as long as `rules.py` says so."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from types import TracebackType
from typing import Any, Self

import httpx
from githubkit import GitHub
from githubkit.exception import RateLimitExceeded, RequestError, RequestFailed
from githubkit.response import Response

from hrm_ray.collect.github import queries, rules
from hrm_ray.collect.github.clock import Clock
from hrm_ray.collect.github.deadline import Timed
from hrm_ray.collect.github.rules import Failure, Outcome, Unable, Wait
from hrm_ray.collect.github.token import Bearer

TIMEOUT = 30.0
"""Seconds to wait for a connection, and for each further part of an answer."""

PARTS = 10
"""How many times as long a whole answer may take."""


class Client:
    """GitHub at `api`, for the length of a `with` block; `said` is told whenever a wait begins."""

    def __init__(
        self, api: str, token: Bearer, clock: Clock, said: Callable[[str], None], timeout: float = TIMEOUT
    ) -> None:
        self.requests = 0
        """How many were sent, those that were asked again included."""
        self._left: dict[str, tuple[int, int]] = {}
        """Requests left and the time of the reset, by GitHub's name of the resource."""
        self._clock, self._said, self._timeout = clock, said, timeout
        self._graphql = queries.address(api)
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
            Failure: GitHub does not give it; Missing where it is not there, Unable where it fails at this one thing.
            UserError: the token is not accepted, or GitHub cannot be reached.
        """
        headers = {"If-None-Match": etag} if etag else {}

        def ask() -> Outcome:
            response = self._github.request("GET", path, params=parameters, headers=headers)
            data = None if response.status_code == 304 else _tree(response)
            return Outcome(response.status_code, response.headers, data)

        return self._settled(ask)

    def query(self, text: str, variables: Mapping[str, Any]) -> Outcome:
        """Return a GraphQL answer that holds data; parts that GitHub could not give are null, and `errors` say why.

        Raises:
            TooMuch: the query must be made smaller.
            Failure, UserError: as of `get`.
        """

        def ask() -> Outcome:
            asked = {"query": text, "variables": dict(variables)}
            try:
                response = self._github.request("POST", self._graphql, json=asked)
            except RequestFailed as error:
                return replace(_refusal(error), query=True)
            return queries.outcome(_tree(response), response.headers)

        return self._settled(ask)

    @property
    def budget(self) -> str:
        """How many requests are left, and when there will be more, in words; empty before the first answer."""
        if not self._left:
            return ""
        left, reset = min(self._left.values())
        minutes = max(reset - self._clock.now(), 0) / 60
        return f"{left:,} requests left, reset in {minutes:.0f} min"

    def _settled(self, ask: Callable[[], Outcome]) -> Outcome:
        """Ask until there is an answer; where one thing breaks each time, see whether everything does."""
        outcome, end = self._asked(ask)
        if isinstance(end, Unable) and outcome.is_broken:
            _, more = self._asked(lambda: Outcome(self._github.request("GET", "rate_limit").status_code))  # is free
            end = Failure(str(end)) if isinstance(more, Unable) else end
        if end:
            raise end
        return outcome

    def _asked(self, ask: Callable[[], Outcome]) -> tuple[Outcome, Exception | None]:
        """The last outcome, and what it ends in where it is not to be taken."""
        for tries in count():
            outcome = _tried(ask)
            step = rules.step(outcome, tries, self._clock.now())
            if not isinstance(step, Wait):
                return outcome, step
            self._wait(step)
        raise AssertionError  # the rules end every wait

    def _wait(self, wait: Wait) -> None:
        until = datetime.fromtimestamp(self._clock.now() + wait.seconds, UTC)
        self._said(f"{wait.why}; waiting until {until:%H:%M:%S} UTC")
        self._clock.sleep(wait.seconds)

    def _sent(self, request: httpx.Request) -> None:  # noqa: ARG002 - httpx calls it in this form
        self.requests += 1

    def _answered(self, response: httpx.Response) -> None:
        assert isinstance(response.stream, httpx.SyncByteStream)
        response.stream = Timed(response.stream, PARTS * self._timeout)
        said = response.headers
        rules.plain(said, self._clock.now())
        left, reset = said.get("x-ratelimit-remaining", ""), said.get("x-ratelimit-reset", "")
        if left.isdecimal() and reset.isdecimal() and said.get("x-ratelimit-resource") != "search":
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
    except (ValueError, RecursionError):
        return Outcome(fault="GitHub answers with something that is not JSON; is collect.github.api its address?")


def _tree(response: Response[Any, Any]) -> Any:  # noqa: ANN401 - a JSON tree
    """The JSON of an answer; a half of a character, as it remains of an emoji that was cut, becomes a question mark."""
    return json.loads(json.dumps(response.json(), ensure_ascii=False).encode("utf-8", "replace"))


def _refusal(error: RequestFailed) -> Outcome:
    status, told = error.response.status_code, _told(error.response)
    message = " ".join(str(told.get("message", "")).split())[:300]
    if status in rules.GONE and "documentation_url" not in told:
        return Outcome(fault=f"something before GitHub answers with {status}")
    limited = isinstance(error, RateLimitExceeded) or status == 429 or (status == 403 and rules.is_limit(message))
    return Outcome(status, error.response.headers, message=message, limited=limited)


def _told(response: Response[Any, Any]) -> dict[str, Any]:
    """GitHub's own words; empty where the answer is of something else, a proxy for example."""
    try:
        told = response.json()
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}
