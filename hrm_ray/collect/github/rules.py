"""What to do after an answer of GitHub's: take it, wait and ask again, or give up. Each case is one rule."""

from __future__ import annotations

import math
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

from hrm_ray.errors import UserError

MOST_TRIES = 6
"""How often a request that failed is sent again; the waits double from one second, 63 seconds in all."""

MOST_WAITS = 12
"""How often a request is sent again that GitHub refused because of a limit."""

SECONDARY_WAIT = 60
"""Seconds that GitHub asks to wait, at least, where it names no time; the wait doubles."""

LONGEST_WAIT = 3660
"""Seconds; GitHub counts its limits by the hour."""

GONE = (404, 410, 451)
"""What GitHub says of something that is not there."""

_HEAVY = ("RESOURCE_LIMITS_EXCEEDED", "MAX_NODE_LIMIT_EXCEEDED", "Something went wrong while executing your query")


class Failure(Exception):  # noqa: N818 - as it is called in the sentences
    """GitHub does not give something; the message is one sentence. Of a kind below it concerns this one thing alone."""


class Missing(Failure):
    """It is not there, or not for the owner of the token."""


class Unable(Failure):
    """GitHub fails to give something that it has, a difference that takes too long for example; it may later."""


class TooMuch(Unable):
    """A query asked for more than GitHub computes at once; a smaller one may pass."""


@dataclass(frozen=True)
class Outcome:
    """What came of one request; `status` is 0 where no whole answer came, and `fault` then says why."""

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    data: Any = None
    message: str = ""
    """What GitHub says of its refusal, or of the errors in a GraphQL answer."""
    errors: tuple[str, ...] = ()
    """Types of the errors in a GraphQL answer, their message where they have none."""
    fault: str = ""
    limited: bool = False
    query: bool = False
    """Whether it answers a GraphQL query, which can be made smaller."""
    reached: bool = True
    """False where there was no connection at all."""

    @property
    def is_broken(self) -> bool:
        """Whether it is no answer of GitHub's, but of something that broke down."""
        return bool(self.fault) or self.status >= 500


@dataclass(frozen=True)
class Wait:
    """Ask again after so many seconds."""

    seconds: float
    why: str


Step = Wait | Exception | None


def step(outcome: Outcome, tries: int, now: float) -> Step:
    """Return how to go on after the answer number `tries`, counted from 0: None means to take it.

    `now` is in seconds since 1970, for servers that do not say what time it is.
    """
    if outcome.limited:
        return _limited(outcome, tries, now)
    for rule in (_unauthorized, _absent, _refused, _too_heavy, _without_data):
        if (fault := rule(outcome)) is not None:
            return fault
    return _broken(outcome, tries) if outcome.is_broken else None


def is_limit(message: str) -> bool:
    """Whether a message of GitHub's speaks of a limit: not every one comes with a status or a type of its own."""
    return "rate limit" in message.lower() or "abuse" in message.lower()


def plain(headers: MutableMapping[str, str], now: float) -> None:
    """Turn a pause that is given as a date into seconds and take out what is no number: githubkit reads only those."""
    until = _time(headers.get("retry-after", ""))
    if until is not None:
        headers["retry-after"] = str(max(math.ceil(until - _server_time(headers, now)), 0))
    for name in ("retry-after", "x-ratelimit-reset"):
        told = headers.get(name, "0")
        if not told.isdecimal() or len(told) > len("99999999999"):  # a second of a year that no date can hold
            del headers[name]


def _limited(outcome: Outcome, tries: int, now: float) -> Step:
    if tries >= MOST_WAITS:
        return Failure(f"still over GitHub's limit after {tries} waits")
    after, reset = outcome.headers.get("retry-after", ""), outcome.headers.get("x-ratelimit-reset", "")
    if after.isdecimal():
        return Wait(min(int(after), LONGEST_WAIT), "GitHub asks for a pause")
    if outcome.headers.get("x-ratelimit-remaining") == "0" and reset.isdecimal():
        seconds = max(int(reset) - _server_time(outcome.headers, now), 0) + 1
        return Wait(min(seconds, LONGEST_WAIT), "GitHub's limit is used up")
    return Wait(min(SECONDARY_WAIT * 2**tries, LONGEST_WAIT), "GitHub's secondary limit is reached")


def _broken(outcome: Outcome, tries: int) -> Step:
    why = outcome.fault or f"GitHub answers with {outcome.status}"
    if outcome.query and outcome.status in (502, 504) and tries >= 2:
        return TooMuch(f"GitHub cannot compute it ({why})")
    if tries < MOST_TRIES:
        return Wait(2**tries, why)
    if not outcome.reached:
        return UserError(f"GitHub cannot be reached ({why}); the same command goes on where this one stopped")
    return Unable(f"{why}, {tries + 1} times in a row")


def _unauthorized(outcome: Outcome) -> Exception | None:
    if outcome.status != 401:
        return None
    return UserError("GitHub does not accept the token: set GITHUB_TOKEN to one that is valid, or run `gh auth login`")


def _absent(outcome: Outcome) -> Exception | None:
    gone = outcome.status in GONE or (outcome.errors == ("NOT_FOUND",) and _empty(outcome.data))
    return Missing("it is not there, or the token may not see it") if gone else None


def _refused(outcome: Outcome) -> Exception | None:
    if not 400 <= outcome.status < 500:
        return None
    kind = Unable if outcome.status in (406, 422) else Failure
    return kind(f"GitHub refuses it with {outcome.status} ({outcome.message or 'no reason given'})")


def _too_heavy(outcome: Outcome) -> Exception | None:
    heavy = any(error.startswith(_HEAVY) for error in outcome.errors)
    return TooMuch(f"GitHub cannot compute it ({outcome.message})") if heavy else None


def _without_data(outcome: Outcome) -> Exception | None:
    """Of an answer with errors and some data, the data is taken: what is missing in it is null."""
    if not outcome.errors or not _empty(outcome.data):
        return None
    return Unable(f"GitHub does not answer the query ({outcome.message})")


def _empty(data: Any) -> bool:  # noqa: ANN401 - a JSON tree
    return not data or all(part is None for part in data.values())


def _server_time(headers: Mapping[str, str], now: float) -> float:
    """The server's own time, so that a wrong clock here does not matter."""
    told = _time(headers.get("date", ""))
    return now if told is None else told


def _time(date: str) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        return None
