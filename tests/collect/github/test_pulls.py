"""Pages of pull requests: in order, each once, and smaller where GitHub cannot compute them."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from hrm_ray.collect import records
from tests.collect.github.conftest import Configure, filled, run
from tests.collect.github.server import Handler, SmallGitHub, refuse, say

HEAVY = '{"data": null, "errors": [{"message": "Something went wrong while executing your query on 2026-11-23."}]}'


def sizes(github: SmallGitHub) -> list[int]:
    asked = [json.loads(name.split(" ", 1)[1]) for name in github.asked if "PullRequests" in name]
    return [each["variables"]["size"] for each in asked]


def numbers(github: SmallGitHub, configure: Configure, most: int = 50) -> list[int]:
    config = configure({"pull_requests": most}, repositories=["o/one"])
    run(config, github)
    return [each.pull_request.number for each in records.read(config.pull_requests)]


@pytest.mark.parametrize(("most", "pages"), [(50, 3), (45, 3), (20, 1), (3, 1)])
def test_the_newest_come_first_over_all_pages_up_to_the_limit(
    github: SmallGitHub, configure: Configure, most: int, pages: int
) -> None:
    filled(github, "o/one", 47)
    assert numbers(github, configure, most) == list(range(47, 47 - min(most, 47), -1))
    assert sizes(github) == [20] * pages


@pytest.mark.parametrize(
    ("fault", "times", "asked"),
    [(say(HEAVY), 2, [20, 10, 5, 10, 20]), (refuse(502), 3, [20, 20, 20, 10, 20])],
    ids=["node limit", "502"],
)
def test_a_page_that_is_too_much_is_halved_and_grows_again(
    github: SmallGitHub, configure: Configure, fault: Callable[[Handler], None], times: int, asked: list[int]
) -> None:
    filled(github, "o/one", 23)
    github.fault("PullRequests", fault, times)
    assert numbers(github, configure) == list(range(23, 0, -1))
    assert sizes(github) == asked


def test_a_page_that_is_too_much_even_alone_fails_the_repository(github: SmallGitHub, configure: Configure) -> None:
    filled(github, "o/one", 3)
    filled(github, "o/two", 1)
    config = configure(repositories=["o/one", "o/two"])
    github.fault("PullRequests", say(HEAVY), times=5)
    assert "o/one: GitHub cannot compute it (Something went wrong" in run(config, github)
    assert sizes(github) == [20, 10, 5, 2, 1, 20]


def test_one_pull_request_that_github_cannot_give_is_counted_and_the_others_kept(
    github: SmallGitHub, configure: Configure
) -> None:
    filled(github, "o/one", 5)

    def without_third(handler: Handler) -> None:
        answered: list[str] = []
        reply, handler.reply = handler.reply, lambda status, text, *rest: answered.append(text)  # type: ignore
        github.answer(handler, json.dumps({"query": asked["query"], "variables": asked["variables"]}))
        handler.reply = reply  # type: ignore[method-assign]
        told = json.loads(answered[0])
        nodes = told["data"]["repository"]["pullRequests"]["nodes"]
        at = next((index for index, node in enumerate(nodes) if node["number"] == 3), None)
        if at is not None:
            nodes[at] = None
            told["errors"] = [{"message": "timed out", "path": ["repository", "pullRequests", "nodes", at]}]
        reply(200, json.dumps(told))

    asked: dict[str, object] = {}

    def remember(name: str) -> None:
        if "PullRequests" in name:
            asked.update(json.loads(name.split(" ", 1)[1]))

    github.before = remember
    github.fault("PullRequests", without_third, times=99)
    config = configure(repositories=["o/one"])
    said = run(config, github)
    assert [each.pull_request.number for each in records.read(config.pull_requests)] == [5, 4, 2, 1]
    assert "dropped 1: pull request that GitHub could not give" in said


def test_an_empty_repository_is_no_failure(github: SmallGitHub, configure: Configure) -> None:
    github.world.add("o/empty")
    filled(github, "o/one", 1)
    said = run(configure(repositories=["o/empty", "o/one"]), github)
    assert "failed" not in said
    assert "1 pull requests" in said
