from __future__ import annotations

import pytest

from hrm_ray.collect.github.rules import (
    MOST_TRIES,
    MOST_WAITS,
    Failure,
    Missing,
    Outcome,
    TooMuch,
    Unable,
    Wait,
    plain,
    step,
)
from hrm_ray.errors import UserError

NOW = 1_800_000_000.0
RESET = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(NOW) + 100)}


@pytest.mark.parametrize("outcome", [Outcome(200, data={}), Outcome(304), Outcome(200, data=[1])])
def test_a_good_answer_is_taken(outcome: Outcome) -> None:
    assert step(outcome, 0, NOW) is None


@pytest.mark.parametrize(
    ("outcome", "tries", "seconds", "why"),
    [
        (Outcome(403, RESET, limited=True), 0, 101, "limit is used up"),
        (Outcome(200, RESET, limited=True), 3, 101, "limit is used up"),  # GraphQL says so with 200
        (Outcome(429, {"retry-after": "7"}, limited=True), 0, 7, "asks for a pause"),
        (Outcome(403, {"retry-after": "7", **RESET}, limited=True), 0, 7, "asks for a pause"),
        (Outcome(403, limited=True), 0, 60, "secondary limit"),
        (Outcome(403, limited=True), 2, 240, "secondary limit"),
        (Outcome(403, limited=True), 9, 3660, "secondary limit"),
        (Outcome(429, {"retry-after": "86400"}, limited=True), 0, 3660, "asks for a pause"),
        (Outcome(403, RESET | {"x-ratelimit-reset": "9" * 11}, limited=True), 0, 3660, "limit is used up"),
        (Outcome(500), 0, 1, "answers with 500"),
        (Outcome(503), 3, 8, "answers with 503"),
        (Outcome(502, query=True), 1, 2, "answers with 502"),
        (Outcome(fault="the connection broke"), 5, 32, "connection broke"),
    ],
)
def test_when_to_ask_again(outcome: Outcome, tries: int, seconds: float, why: str) -> None:
    wait = step(outcome, tries, NOW)
    assert isinstance(wait, Wait)
    assert wait.seconds == seconds
    assert why in wait.why


def test_the_reset_is_counted_from_the_servers_own_time() -> None:
    ahead = {**RESET, "date": "Fri, 15 Jan 2027 07:59:50 GMT"}  # ten seconds before NOW
    wait = step(Outcome(403, ahead, limited=True), 0, NOW + 5000)
    assert isinstance(wait, Wait)
    assert wait.seconds == 111


@pytest.mark.parametrize(
    ("outcome", "tries", "kind", "said"),
    [
        (Outcome(401), 0, UserError, "set GITHUB_TOKEN"),
        (Outcome(404), 0, Missing, "not there"),
        (Outcome(451), 0, Missing, "not there"),
        (Outcome(200, data={"repository": None}, errors=("NOT_FOUND",)), 0, Missing, "not there"),
        (Outcome(403, message="Resource protected by SAML"), 0, Failure, "403 .Resource protected by SAML"),
        (Outcome(422), 0, Unable, "no reason given"),
        (Outcome(200, errors=("RESOURCE_LIMITS_EXCEEDED",), message="limits"), 0, TooMuch, "limits"),
        (Outcome(200, errors=("Something went wrong while executing your query on 1",)), 0, TooMuch, "compute"),
        (Outcome(504, query=True), 2, TooMuch, "504"),
        (Outcome(200, data=None, errors=("FORBIDDEN",), message="no"), 0, Unable, "not answer the query .no"),
        (Outcome(500), MOST_TRIES, Unable, "7 times in a row"),
        (Outcome(504), MOST_TRIES, Unable, "7 times in a row"),
        (Outcome(fault="x", reached=False), MOST_TRIES, UserError, "cannot be reached .*the same command goes on"),
        (Outcome(403, limited=True), MOST_WAITS, Failure, "still over GitHub's limit"),
    ],
)
def test_when_to_give_up(outcome: Outcome, tries: int, kind: type[Exception], said: str) -> None:
    fault = step(outcome, tries, NOW)
    assert type(fault) is kind
    with pytest.raises(kind, match=said):
        raise fault


@pytest.mark.parametrize(
    ("given", "left"),
    [
        ({"retry-after": "Fri, 15 Jan 2027 08:01:00 GMT"}, {"retry-after": "60"}),  # NOW and a minute
        ({"retry-after": "Fri, 15 Jan 2027 07:00:00 GMT"}, {"retry-after": "0"}),
        ({"retry-after": "17"}, {"retry-after": "17"}),
        ({"retry-after": "soon", "x-ratelimit-reset": "-1"}, {}),
        ({"retry-after": "9" * 12, "x-ratelimit-reset": "9" * 11}, {"x-ratelimit-reset": "9" * 11}),
        ({"x-ratelimit-reset": "5"}, {"x-ratelimit-reset": "5"}),
    ],
)
def test_only_numbers_are_left_of_pauses(given: dict[str, str], left: dict[str, str]) -> None:
    plain(given, NOW)
    assert given == left


def test_a_pause_until_a_time_is_counted_from_the_servers_own() -> None:
    headers = {"retry-after": "Fri, 15 Jan 2027 08:01:00 GMT", "date": "Fri, 15 Jan 2027 08:00:53 GMT"}
    plain(headers, NOW + 5000)
    assert headers["retry-after"] == "7"


def test_an_answer_with_errors_and_data_is_taken() -> None:
    assert step(Outcome(200, data={"repository": {"a": None}}, errors=("NOT_FOUND",)), 0, NOW) is None


def test_all_waits_for_a_broken_connection_are_about_a_minute() -> None:
    waits = [step(Outcome(fault="x"), tries, NOW) for tries in range(MOST_TRIES)]
    assert sum(wait.seconds for wait in waits if isinstance(wait, Wait)) == 63
