"""Pages of pull requests: in order, each once, and smaller where GitHub cannot compute them."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from hrm_ray.collect import records
from tests.collect.github.conftest import Configure, filled, run
from tests.collect.github.server import Handler, SmallGitHub, refuse, say

HEAVY = '{"data": null, "errors": [{"message": "Something went wrong while executing your query on 2026-11-23."}]}'

NULL = (
    '{"data": {"repository": {"pullRequests": {"nodes": [null], "pageInfo": {"hasNextPage": true}}}},'
    ' "errors": [{"message": "timed out"}]}'
)


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


def test_a_size_that_github_never_computes_is_asked_for_ever_more_seldom(
    github: SmallGitHub, configure: Configure
) -> None:
    filled(github, "o/one", 95)
    refused: list[int] = []

    def page(handler: Handler) -> None:
        size = sizes(github)[-1]
        if size > 10:
            refused.append(size)
            refuse(502)(handler)
        else:
            github.answer(handler, github.asked[-1].split(" ", 1)[1])

    github.fault("PullRequests", page, times=1000)
    assert numbers(github, configure, 95) == list(range(95, 0, -1))
    assert refused == [20] * 3 * 4, "it was asked for after each page"


@pytest.mark.parametrize(
    ("happen", "why"),
    [
        (say(HEAVY), "GitHub cannot compute it (Something went wrong"),
        (refuse(500), "GitHub answers with 500, 7 times in a row"),
        (say('{"data": {}}'), "GitHub's answer has an unknown form (repository: "),
        (say('{"data": {"repository": {"pullRequests": {"nodes": [1]}}}}'), "GitHub's answer has an unknown form"),
        (say('{"data": {"repository": null}}'), "GitHub's answer has an unknown form"),
        (say(NULL), "GitHub does not give it (timed out)"),
    ],
)
@pytest.mark.fault
def test_a_pull_request_that_is_too_much_even_alone_is_passed_over_until_it_is_not(
    github: SmallGitHub, configure: Configure, happen: Callable[[Handler], None], why: str
) -> None:
    filled(github, "o/one", 6)
    poisoned(github, 4, happen)
    config = configure(repositories=["o/one"])
    said = run(config, github)
    assert [each.pull_request.number for each in records.read(config.pull_requests)] == [6, 5, 3, 2, 1]
    assert f"o/one: pull request 4: {why}" in said
    assert "dropped 1: pull request that GitHub could not give" in said
    github.faults.clear()
    assert "failed" not in run(config, github)
    assert [each.pull_request.number for each in records.read(config.pull_requests)] == [6, 5, 4, 3, 2, 1]


def test_a_repository_of_which_nothing_can_be_read_is_given_up(github: SmallGitHub, configure: Configure) -> None:
    filled(github, "o/one", 30)
    filled(github, "o/two", 1)
    asked = [20, 10, 5, 2, 1, 2, 1, 1, 2, 1, 1, 1, 1, 2, 1, 1, 1, 1]
    github.fault("PullRequests", say(HEAVY), times=len(asked))
    config = configure(repositories=["o/one", "o/two"])
    assert "o/one: 11 pull requests cannot be read, the last one for this: GitHub cannot compute it" in run(
        config, github
    )
    assert sizes(github) == [*asked, 20]


def poisoned(github: SmallGitHub, number: int, happen: Callable[[Handler], None]) -> None:
    """Let happen what does to each page that this pull request is on."""

    def page(handler: Handler) -> None:
        answered: list[str] = []
        reply, handler.reply = handler.reply, lambda status, text, *rest: answered.append(text)  # type: ignore[method-assign]
        github.answer(handler, json.dumps(asked))
        handler.reply = reply  # type: ignore[method-assign]
        found = json.loads(answered[0])["data"]["repository"]["pullRequests"]["nodes"]
        happen(handler) if number in [each["number"] for each in found] else reply(200, answered[0])

    asked: dict[str, object] = {}

    def remember(name: str) -> None:
        if "PullRequests" in name:
            asked.update(json.loads(name.split(" ", 1)[1]))

    github.before = remember
    github.fault("PullRequests", page, times=999)


def test_an_empty_repository_is_no_failure(github: SmallGitHub, configure: Configure) -> None:
    github.world.add("o/empty")
    filled(github, "o/one", 1)
    said = run(configure(repositories=["o/empty", "o/one"]), github)
    assert "failed" not in said
    assert "1 pull requests" in said
