"""What the client does with each answer of a real server; only the clock is not real."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import formatdate
from functools import partial

import pytest

from hrm_ray.collect.github.client import Client
from hrm_ray.collect.github.rules import Failure, Missing, TooMuch, Unable
from hrm_ray.collect.github.token import Bearer
from hrm_ray.errors import UserError
from tests.collect.github.server import TOKEN, SmallGitHub, hold, refuse, reset, say, trickle

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
    assert client.query(QUERY, {"name": "one"}).data == {"repository": {"pullRequests": {"totalCount": 0}}}
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


@pytest.mark.parametrize(
    "told",
    [
        '{"errors": [{"message": "You have exceeded a secondary rate limit. Please wait."}]}',
        '{"message": "You have exceeded a secondary rate limit.", "documentation_url": "x"}',
        '{"data": {"repository": null}, "errors": [{"type": "RATE_LIMIT", "message": "limited"}]}',
    ],
)
def test_a_limit_that_graphql_names_with_200_is_waited_out(client: Client, github: SmallGitHub, told: str) -> None:
    github.fault("graphql", say(told), times=2)
    assert client.query(QUERY, {"name": "one"}).data == {"repository": {"pullRequests": {"totalCount": 0}}}
    assert github.clock.slept == [60, 120]


def test_a_limit_with_200_is_waited_for_as_its_headers_say(client: Client, github: SmallGitHub) -> None:
    told = '{"errors": [{"message": "You have exceeded a secondary rate limit."}]}'
    github.fault("graphql", lambda handler: handler.reply(200, told, {"Retry-After": 9}))
    client.query(QUERY, {"name": "one"})
    assert github.clock.slept == [9]


@pytest.mark.parametrize("part", [PATH, "graphql"])
@pytest.mark.parametrize("status", [403, 429])
def test_retry_after_may_be_a_date(client: Client, github: SmallGitHub, part: str, status: int) -> None:
    until = formatdate(github.clock.now() + 90, usegmt=True)
    github.fault(part, refuse(status, "slow down", {"Retry-After": until}))
    client.get(PATH) if part == PATH else client.query(QUERY, {"name": "one"})
    assert github.clock.slept == [90]


def test_headers_that_are_no_numbers_are_no_matter(client: Client, github: SmallGitHub) -> None:
    odd: dict[str, str | int] = {"Retry-After": "soon", "X-RateLimit-Remaining": 0, "X-RateLimit-Reset": "later"}
    github.fault(PATH, refuse(429, "slow down", odd))
    client.get(PATH)
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


@pytest.mark.parametrize("told", ["[]", '"x"', "null", "{}", "1", '{"data": null}', '{"data": 1}', '{"errors": "x"}'])
def test_a_query_that_is_answered_with_something_else_is_asked_again(
    client: Client, github: SmallGitHub, told: str
) -> None:
    github.fault("graphql", say(told), times=2)
    client.query(QUERY, {"name": "one"})
    assert github.clock.slept == [1, 2]
    github.fault("graphql", say(told), times=99)
    with pytest.raises(Unable, match="GitHub answers a query with"):
        client.query(QUERY, {"name": "one"})


def test_json_too_deep_to_be_read_is_none(client: Client, github: SmallGitHub) -> None:
    github.fault(PATH, say("[" * 100_000))
    github.fault(PATH, say("[" * 100_000, 500))
    client.get(PATH)
    assert github.clock.slept == [1, 2]


def test_a_half_of_a_character_is_no_reason_to_stop(client: Client, github: SmallGitHub) -> None:
    github.fault(PATH, say(r'{"full_name": "a \ud800 b \ud83d\ude00"}'))
    assert client.get(PATH).data == {"full_name": "a ? b \U0001f600"}
    assert not github.clock.slept


@pytest.mark.parametrize("part", [PATH, "graphql"])
def test_an_answer_that_trickles_for_ever_is_given_up_and_asked_for_again(
    github: SmallGitHub, said: list[str], part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hrm_ray.collect.github.client.PARTS", 0.1)  # a byte is never late, and the whole soon is
    github.world.add("o/one")
    github.fault(part, trickle)
    with Client(github.address, Bearer(TOKEN), github.clock, said.append, timeout=20) as client:
        client.get(PATH) if part == PATH else client.query(QUERY, {"name": "one"})
    assert github.clock.slept[0] == 1
    assert said[0].startswith("the connection broke (the answer was not whole after 2 s)")


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


def test_one_thing_that_breaks_is_told_from_a_server_that_does(client: Client, github: SmallGitHub) -> None:
    github.fault(PATH, refuse(500), times=7)
    with pytest.raises(Unable):
        client.get(PATH)
    github.fault("rate_limit", refuse(404, "Rate limiting is not enabled."))  # an Enterprise server's
    github.fault(PATH, refuse(500), times=7)
    with pytest.raises(Unable):
        client.get(PATH)
    github.fault("api", refuse(500), times=14)
    with pytest.raises(Failure, match="500, 7 times in a row") as caught:
        client.get(PATH)
    assert type(caught.value) is Failure


@pytest.mark.parametrize("told", ["<html>Not Found</html>", '{"message": "no Route matched with those values"}', "[]"])
@pytest.mark.parametrize("status", [404, 410, 451])
def test_a_404_that_is_not_githubs_own_does_not_mean_missing(
    client: Client, github: SmallGitHub, told: str, status: int
) -> None:
    github.fault(PATH, say(told, status), times=2)
    assert client.get(PATH).data["full_name"] == "o/one"
    assert github.clock.slept == [1, 2]
    github.fault(PATH, say(told, status), times=7)
    with pytest.raises(Unable, match=f"something before GitHub answers with {status}, 7 times in a row"):
        client.get(PATH)


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
