"""The token is found where people keep it, and is never seen anywhere."""

from __future__ import annotations

import base64
import gzip
import logging
import os
import pickle
import subprocess
import sys
import traceback
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest

from hrm_ray import settings
from hrm_ray.collect.github import token
from hrm_ray.collect.github.client import Client
from hrm_ray.collect.github.token import Bearer
from hrm_ray.errors import UserError
from hrm_ray.launch.job import runtime_env
from tests.collect.github.conftest import Configure, filled, run
from tests.collect.github.server import TOKEN, Handler, SmallGitHub, refuse, reset, say
from tests.conftest import ROOT

API = "https://api.github.com"


def header(bearer: Bearer) -> str:
    request = next(bearer.auth_flow(httpx.Request("GET", API)))
    return request.headers["Authorization"]


@pytest.fixture
def gh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A `gh` that knows two hosts, and notes what it was asked."""
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    program = tmp_path / "bin" / "gh"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\necho "$*" >> {tmp_path / "asked"}\n'
        'case "$4" in github.com) echo gho_one;; ghe.example) echo gho_two;; *) exit 1;; esac\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    yield tmp_path / "asked"


def test_the_environment_comes_first(gh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", " ghp_env\n")
    assert header(token.found(API)) == "Bearer ghp_env"
    assert not gh.exists()


@pytest.mark.parametrize(
    ("api", "host", "said"),
    [(API, "github.com", "gho_one"), ("https://ghe.example/api/v3", "ghe.example", "gho_two")],
)
def test_gh_is_asked_for_the_host(gh: Path, api: str, host: str, said: str) -> None:
    assert header(token.found(api)) == f"Bearer {said}"
    assert gh.read_text() == f"auth token --hostname {host}\n"


@pytest.mark.parametrize(
    ("api", "login"),
    [(API, "`gh auth login`"), ("https://other.example/api/v3", "`gh auth login --hostname other.example`")],
)
def test_without_a_token_it_is_said_how_to_get_one(
    gh: Path, monkeypatch: pytest.MonkeyPatch, api: str, login: str
) -> None:
    monkeypatch.setenv("PATH", str(gh.parent / "bin" if "other" in api else gh.parent))
    with pytest.raises(UserError, match=f"GraphQL interface needs a token; set GITHUB_TOKEN, or run {login}"):
        token.found(api)


def test_what_cannot_be_a_token_is_refused_and_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "ghp_a b")
    with pytest.raises(UserError, match="GITHUB_TOKEN is not a token") as caught:
        token.found(API)
    assert "ghp_a" not in str(caught.value)


def test_a_bearer_shows_nothing_of_the_token() -> None:
    bearer = Bearer(TOKEN)
    assert TOKEN not in f"{bearer!r} {bearer} {vars(bearer)} {dir(bearer)}"
    with pytest.raises((pickle.PicklingError, AttributeError)):
        pickle.dumps(bearer)


def hidden(text: str) -> bool:
    return TOKEN not in text and base64.b64encode(TOKEN.encode()).decode().rstrip("=") not in text


def test_nothing_that_is_written_or_logged_holds_the_token(
    github: SmallGitHub, configure: Configure, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    filled(github, "o/one", 3)
    github.fault("compare", refuse(403, "secondary rate limit"))
    github.fault("compare", reset)
    github.fault("graphql", say("<html>"))
    github.fault("o/two", refuse(500), times=99)
    config = configure(repositories=["o/one", "o/two"], organizations=["nobody"])
    said = run(config, github)
    assert "o/two" in said
    assert caplog.text
    assert hidden(said + caplog.text + settings.dump(config))
    files = [path for path in config.data.rglob("*") if path.is_file()]
    assert len(files) >= 5
    for path in files:
        content = path.read_bytes()
        if path.suffix == ".gz":
            content = gzip.decompress(content)
        assert hidden(content.decode("latin-1")), path


@pytest.mark.parametrize("happen", [refuse(401), refuse(403, "no"), reset, say("<html>")])
def test_no_exception_holds_the_token_not_even_in_the_locals_of_its_traceback(
    github: SmallGitHub, happen: object
) -> None:
    github.fault("", happen, times=99)  # type: ignore[arg-type]
    with Client(github.address, Bearer(TOKEN), github.clock, lambda text: None) as client:
        for ask in (partial(client.get, "repos/o/n"), partial(client.query, "{ a }", {})):
            with pytest.raises(Exception) as caught:
                ask()
            told = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
            frames = "".join(told.format())
            shown = "".join(str(frame.locals) for frame in told.stack if "pytest" not in frame.filename)
            assert hidden(frames.replace(repr(TOKEN), ""))
            assert hidden(shown)
            assert hidden(repr(caught.value) + repr(caught.value.__cause__) + repr(caught.value.__context__))


def test_a_crash_prints_a_traceback_without_the_token(
    tmp_path: Path, github: SmallGitHub, configure: Configure
) -> None:
    filled(github, "o/one", 1)
    (tmp_path / "t.yaml").write_text(settings.dump(configure(repositories=["o/one"])))
    code = (
        "import sys, hrm_ray.collect.github.contents as c\n"
        "c.Contents._read = lambda self, places: 1 // 0\n"
        f"sys.argv = ['hrm-ray', 'collect', {str(tmp_path / 't.yaml')!r}]\n"
        "from hrm_ray.cli import main\nmain()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr
    assert hidden(done.stdout + done.stderr)


def test_a_job_of_a_cluster_is_not_sent_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    monkeypatch.chdir(ROOT)
    environment = str(runtime_env())
    assert hidden(environment)
    assert "GITHUB_TOKEN" not in environment


def test_the_token_does_not_follow_a_redirect_to_another_host(github: SmallGitHub) -> None:
    with SmallGitHub().running() as other:
        seen: list[str | None] = []

        def look(handler: Handler) -> None:
            seen.append(handler.headers.get("Authorization"))
            handler.reply(200, "{}")

        other.fault("", look)
        target = other.address.replace("127.0.0.1", "localhost")
        github.fault("repos/o/n", lambda handler: handler.reply(301, "{}", {"Location": target}))
        with Client(github.address, Bearer(TOKEN), github.clock, lambda text: None) as client:
            client.get("repos/o/n")
        assert seen == [None]
