"""The contents of files: many in one request, and exact to the byte."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from hrm_ray.collect import records
from hrm_ray.collect.filters import Dropped
from hrm_ray.collect.github.client import Client
from hrm_ray.collect.github.contents import AT_ONCE, Contents
from hrm_ray.collect.github.rules import Unable
from hrm_ray.collect.github.token import Bearer
from tests.collect.github.conftest import Configure, run
from tests.collect.github.graph import TRUNCATED
from tests.collect.github.server import TOKEN, Handler, SmallGitHub, refuse, say
from tests.collect.github.world import Repo, object_id
from tests.collect.repository import go

HEAVY = '{"data": {"repository": null}, "errors": [{"type": "RESOURCE_LIMITS_EXCEEDED", "message": "limits"}]}'


@pytest.fixture
def repo(github: SmallGitHub) -> Repo:
    repo = github.world.add("o/one")
    repo.push({f"f{number:02d}.go": f"package f // {number}\n" for number in range(60)} | {"dir/x.go": "package x\n"})
    return repo


@pytest.fixture
def contents(github: SmallGitHub, repo: Repo) -> Iterator[Contents]:
    with Client(github.address, Bearer(TOKEN), github.clock, lambda text: None) as client:
        yield Contents(client, "o/one", largest=1_000_000)


def test_many_files_take_few_requests(contents: Contents, github: SmallGitHub, repo: Repo) -> None:
    places = [(repo.main, f"f{number:02d}.go") for number in range(60)]
    found = contents.read([*places, *places])
    assert found == {(repo.main, path): repo.commits[repo.main].tree[path] for _, path in places}
    assert len(github.asked) == -(-60 // AT_ONCE)


def test_a_query_that_is_too_much_is_halved_and_grows_again(
    contents: Contents, github: SmallGitHub, repo: Repo
) -> None:
    github.fault("graphql", say(HEAVY), times=2)
    found = contents.read([(repo.main, f"f{number:02d}.go") for number in range(60)])
    assert len(found) == 60
    assert [name.count("object(") for name in github.asked] == [40, 20, 10, 20, 30]


POISON = [
    (say(HEAVY), r"GitHub cannot compute it \(limits\)"),
    (refuse(500), "GitHub answers with 500, 7 times in a row"),
    (refuse(502), r"GitHub cannot compute it \(GitHub answers with 502\)"),
    (say('{"data": {}}'), "unknown form"),
    (say('{"data": {"repository": "x"}}'), "unknown form"),
    (say('{"data": {"repository": {"f0": {"oid": 1}}}}'), "unknown form"),
    (say('{"data": {"repository": {"f0": null}}, "errors": [{"message": "timed out"}]}'), "timed out"),
    (say('{"data": null, "errors": [{"message": "odd"}]}'), "does not answer the query"),
]


@pytest.mark.parametrize(("happen", "why"), POISON)
def test_a_file_that_cannot_be_read_alone_costs_no_other(
    contents: Contents, github: SmallGitHub, repo: Repo, happen: Callable[[Handler], None], why: str
) -> None:
    github.fault("f05.go", happen, times=999)
    places = [(repo.main, f"f{number:02d}.go") for number in range(12)]
    found = contents.read(places)
    bad = found.pop(places[5])
    assert isinstance(bad, Unable)
    assert re.search(why, str(bad))
    assert found == {(repo.main, path): repo.commits[repo.main].tree[path] for _, path in places if path != "f05.go"}


def test_what_is_not_a_file_has_no_entry(contents: Contents, repo: Repo) -> None:
    assert contents.read([(repo.main, "none.go"), (repo.main, "dir"), ("0" * 40, "f01.go")]) == {}


@pytest.mark.parametrize(
    "content",
    [b"package f\n\0binary", b"package f // \xff\xfe\n", b"package f\n" + b"// x\n" * (TRUNCATED // 5), b"", b"\r\n"],
    ids=["binary", "not UTF-8", "truncated", "empty", "carriage return"],
)
def test_contents_are_exact_to_the_byte(contents: Contents, repo: Repo, content: bytes) -> None:
    repo.push({"odd.go": content})
    assert contents.read([(repo.main, "odd.go")]) == {(repo.main, "odd.go"): content}


def test_what_is_too_large_is_not_read(contents: Contents, github: SmallGitHub, repo: Repo) -> None:
    repo.push({"large.go": b"x" * 1_000_001})
    (found,) = contents.read([(repo.main, "large.go")]).values()
    assert isinstance(found, Dropped)
    assert str(found) == "file that is too large"
    assert github.count("git/blobs") == 0


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ('{"content": "AAAA", "encoding": "base64"}', "another content for the object"),
        ('{"content": "A", "encoding": "base64"}', "another form than base64"),
        ('{"content": "\u00e9", "encoding": "base64"}', "another form than base64"),
        ('{"content": null}', "unknown form"),
    ],
)
def test_a_raw_content_that_is_another_is_never_taken(
    contents: Contents, github: SmallGitHub, repo: Repo, told: str, why: str
) -> None:
    repo.push({"odd.go": b"package f\n\0"})
    github.fault("git/blobs", say(told))
    bad = contents.read([(repo.main, "odd.go")])[repo.main, "odd.go"]
    assert isinstance(bad, Unable)
    assert why in str(bad)


@pytest.mark.parametrize(
    "happen", [refuse(500), refuse(502), say("<html>Not Found</html>", 404), say('{"content": 1}')]
)
def test_one_content_that_cannot_be_read_costs_one_pull_request_until_it_can(
    github: SmallGitHub, configure: Configure, repo: Repo, happen: Callable[[Handler], None]
) -> None:
    for number in range(25):
        poison = {"p.go": b"package p\n\0"} if number == 12 else {}
        repo.pull(f"Change {number}", {f"f{number:02d}.go": go("f", "F"), **poison})
    config = configure(repositories=["o/one"])
    github.fault("git/blobs", happen, times=7)
    said = run(config, github)
    titles = [each.pull_request.title for each in records.read(config.pull_requests)]
    assert titles == [f"Change {number}" for number in reversed(range(25)) if number != 12]
    assert "dropped 1: pull request that GitHub could not give" in said
    assert "failed 1; the same command tries them again:\n  o/one: pull request 13: " in said
    github.faults.clear()
    run(config, github)
    titles = [each.pull_request.title for each in records.read(config.pull_requests)]
    assert titles == [f"Change {number}" for number in reversed(range(25))]


def test_a_binary_file_is_left_out_alone_and_counted(github: SmallGitHub, configure: Configure, repo: Repo) -> None:
    repo.pull("Change", {"f00.go": go("f", "F"), "f01.go": b"package f\n\0"})
    config = configure(repositories=["o/one"])
    said = run(config, github)
    (found,) = records.read(config.pull_requests)
    assert [file.filename for file in found.files] == ["f00.go"]
    assert "dropped 1: file that is not text" in said
    assert github.count("git/blobs") == 1


@pytest.mark.parametrize("where", ["graphql", "rest"])
def test_contents_that_are_gone_drop_the_pull_request(
    github: SmallGitHub, configure: Configure, repo: Repo, where: str
) -> None:
    repo.pull("Good", {"f00.go": go("f", "F")})
    lost = b"package f\n\0"
    repo.pull("Lost", {"f01.go": go("f", "G"), "f02.go": lost})
    repo.missing.add("f02.go" if where == "graphql" else object_id(lost))
    config = configure(repositories=["o/one"])
    said = run(config, github)
    assert [each.pull_request.title for each in records.read(config.pull_requests)] == ["Good"]
    assert "dropped 1: pull request with a file whose content is not on GitHub" in said
