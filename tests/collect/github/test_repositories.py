"""Which repositories are read, and what becomes of the others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hrm_ray.collect.github.client import Client
from hrm_ray.collect.github.lists import Lists
from hrm_ray.collect.github.repositories import Sources
from hrm_ray.collect.github.token import Bearer
from hrm_ray.config import Config
from tests.collect.github.conftest import Configure
from tests.collect.github.server import TOKEN, SmallGitHub, refuse, say


class Asked:
    """What the settings of one run lead to."""

    def __init__(self, github: SmallGitHub, config: Config) -> None:
        self.said: list[str] = []
        with Client(github.address, Bearer(TOKEN), github.clock, self.said.append) as client:
            lists = Lists(client, config.data / "lists")
            self.sources = Sources(lists, config.collect, config.clean, self.said.append)
            self.repositories = list(self.sources.repositories())
            self.requests = client.requests
        self.names = [each.full_name for each in self.repositories]


def search(stars: list[Any], **more: Any) -> dict[str, Any]:
    return {"search": {"stars": stars, **more}}


def test_listed_repositories_come_in_the_order_given(github: SmallGitHub, configure: Configure) -> None:
    github.world.add("o/b", license="Apache-2.0")
    github.world.add("o/a")
    asked = Asked(github, configure(repositories=["o/b", "o/a"]))
    assert [(each.full_name, each.license) for each in asked.repositories] == [("o/b", "Apache-2.0"), ("o/a", "MIT")]


def test_a_fork_names_its_source_and_is_read_only_where_it_is_listed(github: SmallGitHub, configure: Configure) -> None:
    github.world.add("up/n")
    github.world.add("o/n", fork_of="up/n")
    github.world.add("o/old", archived=True)
    github.world.add("o/own")
    listed = Asked(github, configure(repositories=["o/n"]))
    assert [(each.full_name, each.fork_of) for each in listed.repositories] == [("o/n", "up/n")]
    assert Asked(github, configure(organizations=["o"])).names == ["o/own"]
    every = Asked(github, configure(organizations=["o"], forks=True, archived=True))
    assert [(each.full_name, each.fork_of) for each in every.repositories] == [
        ("o/n", "up/n"),
        ("o/old", ""),
        ("o/own", ""),
    ]


def test_an_organisation_is_read_page_by_page_and_its_go_alone_most_stars_first(
    github: SmallGitHub, configure: Configure
) -> None:
    for number in range(230):
        github.world.add(f"o/r{number:03d}", stars=number, language="Go" if number % 2 else "Rust")
    asked = Asked(github, configure({"repositories": 200}, organizations=["o"]))
    assert len(asked.names) == 115
    assert asked.names[:2] == ["o/r229", "o/r227"]
    assert asked.requests == 3 + 115  # pages, and newest trees


def test_a_user_is_as_good_as_an_organisation(github: SmallGitHub, configure: Configure) -> None:
    github.world.add("ann/x")
    github.world.users.add("ann")
    assert Asked(github, configure(organizations=["ann"])).names == ["ann/x"]


def test_no_more_than_the_limit_are_asked_for(github: SmallGitHub, configure: Configure) -> None:
    for number in range(5):
        github.world.add(f"o/r{number}", stars=number)
    asked = Asked(github, configure({"repositories": 2}, repositories=["o/r1"], organizations=["o"]))
    assert asked.names == ["o/r1", "o/r4"]


def test_a_license_that_is_not_allowed_is_left_out_and_counted_before_anything_is_fetched(
    github: SmallGitHub, configure: Configure
) -> None:
    github.world.add("o/gpl", license="GPL-3.0")
    github.world.add("o/none", license=None)
    github.world.add("o/mit")
    names = ["o/gpl", "o/none", "o/mit"]
    asked = Asked(github, configure(repositories=names))
    assert asked.names == ["o/mit"]
    assert list(asked.sources.report()) == [
        "left out 1 under license GPL-3.0, which clean.licenses does not allow: o/gpl",
        "left out 1 under license NOASSERTION, which clean.licenses does not allow: o/none",
    ]
    assert github.count("graphql") == 0
    everything = Asked(github, configure(repositories=names, clean={"licenses": "any"}))
    assert [each.license for each in everything.repositories] == ["GPL-3.0", "NOASSERTION", "MIT"]


def test_a_repository_or_organisation_that_is_not_there_is_named_and_the_others_go_on(
    github: SmallGitHub, configure: Configure
) -> None:
    github.world.add("o/a")
    asked = Asked(github, configure(repositories=["o/gone", "o/a"], organizations=["nobody"]))
    assert asked.names == ["o/a"]
    assert asked.sources.failures == dict.fromkeys(("o/gone", "nobody"), "it is not there, or the token may not see it")


def test_one_repository_under_two_names_is_read_once(github: SmallGitHub, configure: Configure) -> None:
    github.world.add("o/new")
    github.world.renamed["o/old"] = "o/new"
    assert Asked(github, configure(repositories=["o/old", "o/new"], organizations=["o"])).names == ["o/new"]


def test_a_search_finds_go_of_allowed_licenses_most_stars_first(github: SmallGitHub, configure: Configure) -> None:
    for name, stars, license_ in (("a", 50, "MIT"), ("b", 70, "Apache-2.0"), ("c", 60, "GPL-3.0"), ("d", 5, "MIT")):
        github.world.add(f"o/{name}", stars=stars, license=license_)
    github.world.add("o/e", stars=90, language="Rust")
    github.world.add("o/f", stars=80, fork_of="o/a")
    github.world.add("o/g", stars=80, archived=True)
    assert Asked(github, configure(**search([10, None]))).names == ["o/b", "o/a"]
    assert Asked(github, configure(**search([10, 60]))).names == ["o/a"]
    assert Asked(github, configure(**search([10, None], licenses=["MIT"]))).names == ["o/a"]
    forks = Asked(github, configure(forks=True, archived=True, **search([10, None])))
    assert forks.names == ["o/f", "o/g", "o/b", "o/a"]
    assert forks.repositories[0].fork_of == "o/a"
    unlimited = Asked(github, configure(clean={"licenses": "any"}, **search([10, None])))
    assert unlimited.names == ["o/b", "o/c", "o/a"]
    assert unlimited.requests == 1


def test_a_search_past_a_thousand_results_is_cut_by_stars_and_misses_none(
    github: SmallGitHub, configure: Configure
) -> None:
    for number in range(1300):
        github.world.add(f"o/r{number:04d}", stars=10 + number % 700)
    config = configure({"repositories": 5000}, clean={"licenses": "any"}, **search([10, None], licenses=["MIT"]))
    asked = Asked(github, config)
    assert len(set(asked.names)) == len(asked.names) == 1300
    stars = [github.world.repositories[name].stars for name in asked.names]
    assert stars == sorted(stars, reverse=True)
    assert Asked(github, config).names == asked.names
    assert not asked.said


def test_few_of_many_results_take_few_requests(github: SmallGitHub, configure: Configure) -> None:
    for number in range(1300):
        github.world.add(f"o/r{number:04d}", stars=10 + number)
    asked = Asked(github, configure({"repositories": 3}, **search([10, None], licenses=["MIT"])))
    assert asked.names == ["o/r1299", "o/r1298", "o/r1297"]
    assert asked.requests < 15 + 3


def test_more_than_a_thousand_of_equal_stars_are_shown_in_part_and_that_is_said(
    github: SmallGitHub, configure: Configure
) -> None:
    for number in range(1001):
        github.world.add(f"o/r{number:04d}", stars=10)
    config = configure({"repositories": 5000}, clean={"licenses": "any"}, **search([10, 10], licenses=["MIT"]))
    asked = Asked(github, config)
    assert len(asked.names) == 1000
    assert "shows only a part of the 1,001 results" in asked.said[0]


def test_unchanged_lists_cost_nothing_the_second_time(github: SmallGitHub, configure: Configure) -> None:
    for number in range(120):
        github.world.add(f"o/r{number:03d}")
    config = configure({"repositories": 500}, organizations=["o"], repositories=["o/r001"])
    first = Asked(github, config)
    left = github._used
    again = Asked(github, config)
    assert (again.names, again.requests) == (first.names, 3 + 120)
    assert github._used == left  # all were 304
    github.world.repositories["o/r119"].stars = 99
    assert Asked(github, config).names[1] == "o/r119"


@pytest.mark.fault
def test_a_list_that_was_torn_is_asked_for_again(github: SmallGitHub, configure: Configure, tmp_path: Path) -> None:
    github.world.add("o/a")
    config = configure(repositories=["o/a"])
    Asked(github, config)
    (kept,) = (config.data / "lists").iterdir()
    kept.write_text(kept.read_text()[:-9])
    assert Asked(github, config).names == ["o/a"]


def test_a_search_that_fails_is_named(github: SmallGitHub, configure: Configure) -> None:
    github.fault("search", refuse(422, "Validation Failed"))
    asked = Asked(github, configure(**search([10, None])))
    assert asked.sources.failures == {"the search": "GitHub refuses it with 422 (Validation Failed)"}


@pytest.mark.parametrize("odd", ["[]", '{"items": 3}', '"x"'])
def test_an_answer_of_an_unknown_form_is_a_failure(github: SmallGitHub, configure: Configure, odd: str) -> None:
    github.fault("repos/o/a", say(odd))
    asked = Asked(github, configure(repositories=["o/a"]))
    assert "unknown form" in asked.sources.failures["o/a"]
