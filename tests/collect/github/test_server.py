"""The small GitHub is like the real one: GitHub's own description, read by the kept client, fits its answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from githubkit import GitHub
from githubkit.exception import RequestFailed

from hrm_ray.collect.github.token import Bearer
from tests.collect.github import rest
from tests.collect.github.conftest import filled
from tests.collect.github.server import TOKEN, SmallGitHub
from tests.collect.github.world import object_id


@pytest.fixture
def kept(github: SmallGitHub) -> Iterator[GitHub[Any]]:
    with GitHub(Bearer(TOKEN), base_url=github.address, http_cache=False, auto_retry=False) as client:
        yield client


def test_every_address_that_we_use_is_one_of_githubs_and_answers_in_its_form(
    github: SmallGitHub, kept: GitHub[Any]
) -> None:
    repo = filled(github, "o/one", 2)
    repo.pull("Move", {"a.go": None, "b.go": repo.commits[repo.main].tree["a.go"].decode()})
    pull = repo.pulls[-1]
    assert kept.rest.repos.get("o", "one").parsed_data.full_name == "o/one"
    assert len(kept.rest.repos.list_for_org("o", per_page=100, page=1).parsed_data) == 1
    found = kept.rest.search.repos(q="language:Go stars:1..99 license:mit", sort="stars", order="desc", per_page=100)
    assert found.parsed_data.total_count == 1
    compared = kept.rest.repos.compare_commits("o", "one", f"{pull.base}...{pull.head}", per_page=1).parsed_data
    assert compared.files
    (file,) = compared.files
    assert (file.status, file.previous_filename) == ("renamed", "a.go")
    listed: Any = kept.rest.pulls.list_files("o", "one", 3, per_page=100, page=1).parsed_data
    assert [each.filename for each in listed] == ["b.go"]
    oid = object_id(repo.commits[pull.head].tree["b.go"])
    assert kept.rest.git.get_blob("o", "one", oid).parsed_data.sha == oid
    assert kept.graphql('query($n: String!) { repository(owner: "o", name: $n) { __typename } }', {"n": "one"})


def test_what_does_not_fit_is_noticed(github: SmallGitHub, kept: GitHub[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    filled(github, "o/one", 1)
    monkeypatch.setattr(rest, "ADDRESSES", "url")
    kept.request("GET", "repos/o/one")
    assert "Field required" in github.wrong.pop()


def test_its_refusals_are_githubs(github: SmallGitHub, kept: GitHub[Any]) -> None:
    with pytest.raises(RequestFailed) as caught:
        kept.rest.repos.get("o", "none")
    assert caught.value.response.status_code == 404
    github.limit = 0
    filled(github, "o/one", 1)
    with pytest.raises(RequestFailed) as caught:
        kept.rest.repos.get("o", "one")
    assert type(caught.value).__name__ == "PrimaryRateLimitExceeded"
