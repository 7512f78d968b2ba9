"""What the client does with each answer of a real server; only the clock is not real."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial

import pytest

from hrm_ray.collect.github.client import Client
from hrm_ray.collect.github.rules import Failure, Missing, TooMuch
from hrm_ray.collect.github.token import Bearer
from hrm_ray.errors import UserError
from tests.collect.github.server import TOKEN, SmallGitHub, hold, refuse, reset, say

QUERY = 'query($name: String!) { repository(owner: "o", name: $name) { pullRequests(first: 1, states: MERGED,'
QUERY += " orderBy: {field: CREATED_AT, direction: DESC}) { totalCount } } }"
PATH = "repos/o/one"


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def client(github: SmallGitHub, said: list[str]) -> Iterator[Client]:
    github.world.add("o/one")
    with Client(github.address, Bearer(TOKEN), github.clock, said.append) as client:
        yield client


def test_a_good_answer_needs_no_wait(client: Client, github: SmallGitHub) -> None:
    assert client.get(PATH).data["full_name"] == "o/one"
    assert client.query(QUERY, {"name": "one"}) == {"repository": {"pullRequests": {"totalCount": 0}}}
    assert (client.requests, github.clock.slept) == (2, [])


@pytest.mark.parametrize(
    ("prefix", "rest", "graphql"),
    [("/api/v3", "/api/v3/repos/o/one", "/api/graphql"), ("", "/repos/o/one", "/graphql")],
    ids=["Enterprise", "github.com"],
)
def test_graphqls_address_follows_from_that_of_rest(github: SmallGitHub, prefix: str, rest: str, graphql: str) -> None:
    github.world.add("o/one")
    address = github.address.removesuffix("/api/v3") + prefix
    with Client(address, Bearer(TOKEN), github.clock, lambda text: None) as client:
        client.get(PATH)
        client.query(QUERY, {"name": "one"})
    assert [name.split()[0] for name in github.asked] == [rest, graphql]


def test_what_did_not_change_costs_nothing(client: Client, github: SmallGitHub) -> None:
    etag = client.get(PATH).headers["etag"]
    left = client.budget
    again = client.get(PATH, etag)
    assert (again.status, again.data) == (304, None)
    assert client.budget == left == "4,999 requests left, reset in 60 min"
    github.world.repositories["o/one"].stars += 1
    assert client.get(PATH, etag).data["stargazers_count"] == 11


def test_the_primary_limit_is_waited_out_and_the_wait_is_announced(
    client: Client, github: SmallGitHub, said: list[str]
) -> None:
    github.limit = 1
    until = datetime.fromtimestamp(github.clock.time + 3601, UTC)
    client.get(PATH)
    client.get(PATH)
    assert github.clock.slept == [3601]
    assert said == [f"GitHub's limit is used up; waiting until {until:%H:%M:%S} UTC"]


def test_graphqls_own_limit_is_waited_out(client: Client, github: SmallGitHub) -> None:
    error = '{"errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}]}'
    github.fault("graphql", say(error))
    client.query(QUERY, {"name": "one"})
    assert github.clock.slept == [60]


def test_retry_after_is_obeyed(client: Client, github: SmallGitHub) -> None:
    github.fault(PATH, refuse(429, "slow down", {"Retry-After": 17}), times=2)
    client.get(PATH)
    assert github.clock.slept == [17, 17]


def test_a_secondary_limit_without_headers_is_waited_for_longer_and_longer(client: Client, github: SmallGitHub) -> None:
    github.fault(PATH, refuse(403, "You have exceeded a secondary rate limit. Please wait."), times=3)
    client.get(PATH)
    assert github.clock.slept == [60, 120, 240]


def test_a_limit_that_never_ends_is_given_up(client: Client, github: SmallGitHub) -> None:
    github.fault(PATH, refuse(429), times=99)
    with pytest.raises(Failure, match="still over GitHub's limit after 12 waits"):
        client.get(PATH)


@pytest.mark.parametrize(
    ("happen", "why"),
    [
        (refuse(500), "answers with 500"),
        (refuse(502), "answers with 502"),
        (refuse(503), "answers with 503"),
        (reset, "the connection broke"),
        (say('{"full_name": "o/o'), "not JSON"),
        (say('{"full_name": "o/one"}', length=999), "the connection broke"),
        (say("<html>Unicorn!</html>"), "not JSON; is collect.github.api its address"),
    ],
    ids=["500", "502", "503", "reset", "cut JSON", "cut body", "HTML"],
)
@pytest.mark.parametrize("how", ["rest", "graphql"])
def test_what_breaks_is_asked_for_again(
    client: Client, github: SmallGitHub, said: list[str], happen: object, why: str, how: str
) -> None:
    github.fault(PATH if how == "rest" else "graphql", happen, times=2)  # type: ignore[arg-type]
    client.get(PATH) if how == "rest" else client.query(QUERY, {"name": "one"})
    assert github.clock.slept == [1, 2]
    assert client.requests == 3
    assert len(said) == 2
    assert all(re.search(why, each) for each in said)


@pytest.mark.parametrize("part", [PATH, "graphql"])
def test_a_body_that_does_not_end_is_given_up_and_asked_for_again(
    github: SmallGitHub, said: list[str], part: str
) -> None:
    github.world.add("o/one")
    github.fault(part, hold)
    with Client(github.address, Bearer(TOKEN), github.clock, said.append, timeout=1) as client:
        client.get(PATH) if part == PATH else client.query(QUERY, {"name": "one"})
    assert github.clock.slept[0] == 1
    assert said[0].startswith("the connection broke (")
    assert "timed out" in said[0]


def test_what_stays_broken_is_a_failure(client: Client, github: SmallGitHub) -> None:
    github.fault(PATH, refuse(500), times=99)
    with pytest.raises(Failure, match="GitHub answers with 500, 7 times in a row"):
        client.get(PATH)
    assert sum(github.clock.slept) == 63


def test_a_query_that_times_out_at_the_server_is_too_much(client: Client, github: SmallGitHub) -> None:
    github.fault("graphql", refuse(504), times=99)
    with pytest.raises(TooMuch):
        client.query(QUERY, {"name": "one"})
    assert github.clock.slept == [1, 2]


def test_no_server_at_all_is_said_so(github: SmallGitHub) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with (
            Client(address, Bearer(TOKEN), github.clock, lambda text: None) as client,
            pytest.raises(UserError, match="GitHub cannot be reached"),
        ):
            client.get(PATH)


def test_a_wrong_token_is_one_sentence_without_the_token(client: Client, github: SmallGitHub) -> None:
    with Client(github.address, Bearer("ghp_wrong"), github.clock, lambda text: None) as other:
        for ask in (partial(other.get, PATH), partial(other.query, QUERY, {"name": "one"})):
            with pytest.raises(UserError, match="set GITHUB_TOKEN") as caught:
                ask()
            assert "ghp_wrong" not in str(caught.value)


def test_what_is_not_there_is_missing(client: Client) -> None:
    with pytest.raises(Missing):
        client.get("repos/o/none")
    with pytest.raises(Missing):
        client.query(QUERY, {"name": "none"})


def test_a_refusal_says_why(client: Client, github: SmallGitHub) -> None:
    github.fault(PATH, refuse(403, "Resource protected by organization SAML enforcement."))
    with pytest.raises(Failure, match=r"403 \(Resource protected by organization SAML enforcement\.\)"):
        client.get(PATH)


def test_a_renamed_repository_is_followed(client: Client, github: SmallGitHub) -> None:
    github.world.renamed["o/old"] = "o/one"
    assert client.get("repos/o/old").data["full_name"] == "o/one"
    assert client.requests == 2


def test_the_budget_is_that_of_the_resource_with_the_fewest_left(client: Client, github: SmallGitHub) -> None:
    assert client.budget == ""
    client.get(PATH)
    github.clock.time += 1800
    client.query(QUERY, {"name": "one"})
    assert client.budget == "4,998 requests left, reset in 30 min"
