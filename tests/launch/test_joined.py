"""Clusters with and without tokens, joined from shells with and without RAY_AUTH_MODE; addresses that name none."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import ray

from hrm_ray.errors import UserError
from hrm_ray.launch import address
from hrm_ray.launch.session import session
from tests.launch.head import TOKEN, Head

SCRIPT = """
import json, os, sys
import ray
from hrm_ray.errors import UserError
from hrm_ray.launch.session import session

seen = []
for given in json.load(sys.stdin):  # a cluster lists its drivers' command lines: no place for a token
    settings = dict(pair.split("=") for pair in given.split(","))
    os.environ |= settings
    try:
        with session(cpus=1):
            seen.append([os.environ["RAY_AUTH_MODE"], ray.get(ray.remote(lambda: 7).remote())])
    except UserError as error:
        seen.append(str(error))
    for name in settings:
        del os.environ[name]
print(json.dumps(seen))
"""


def join(home: Path, *sessions: str, **shell: str) -> list[Any]:
    """Return what became of sessions one after the other in one process, each with variables of its own."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        input=json.dumps(sessions),
        env=inherited | {"HOME": str(home)} | shell,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    assert TOKEN not in done.stdout + done.stderr
    seen: list[Any] = json.loads(done.stdout)
    return seen


@pytest.fixture
def open_head(ray_session: None) -> str:
    """HOST:PORT of a Ray without tokens: that of this very process."""
    return str(ray.get_runtime_context().gcs_address)


def test_a_shell_with_tokens_joins_both_kinds_of_cluster(head: Head, open_head: str, tmp_path: Path) -> None:
    (tmp_path / ".ray").mkdir()
    (tmp_path / ".ray" / "auth_token").write_text(TOKEN)
    blank = head.gcs.replace("127.0.0.1", "localhost") + " "
    sessions = [f"RAY_ADDRESS={blank}", f"RAY_ADDRESS={open_head}/", f"RAY_ADDRESS={head.gcs}"]
    assert join(tmp_path, *sessions, RAY_AUTH_MODE="token") == [["token", 7], ["disabled", 7], ["token", 7]]


def test_a_shell_without_a_mode_or_with_tokens_off(head: Head, open_head: str, tmp_path: Path) -> None:
    token, path = f"RAY_AUTH_TOKEN={TOKEN}", f"RAY_AUTH_TOKEN_PATH={tmp_path / 'absent'}"
    here, there = f"RAY_ADDRESS={head.gcs}", f"RAY_ADDRESS={open_head}"
    changes = [there, f"{here},{token}", here, f"{here},{path}", f"{here},RAY_AUTH_TOKEN={'0' * 64}"]
    off = [f"{there},RAY_AUTH_MODE=disabled", f"{here},{token},RAY_AUTH_MODE=disabled"]
    unset, given, none, absent, wrong, off_there, off_here = join(tmp_path, *changes, *off)
    assert (unset, given, off_there) == (["disabled", 7], ["token", 7], ["disabled", 7])
    assert all(head.gcs in said for said in (none, absent, wrong, off_here))
    assert "auth_token" in none
    assert str(tmp_path / "absent") in absent
    assert "refuses the token" in wrong
    assert "RAY_AUTH_MODE" in off_here
    assert not (tmp_path / ".ray").exists(), "an authentication token was written"


@pytest.fixture
def silent() -> Iterator[str]:
    """HOST:PORT of something that accepts and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def refusal(monkeypatch: pytest.MonkeyPatch, given: str) -> str:
    monkeypatch.setenv("RAY_ADDRESS", given)
    monkeypatch.setattr("ray.is_initialized", lambda: False)
    with pytest.raises(UserError) as caught, session(cpus=1):
        raise AssertionError("the block was entered")
    said = str(caught.value)
    assert "\n" not in said
    assert said.startswith(f"RAY_ADDRESS {given.strip().rstrip('/')}: ")
    return said


@pytest.mark.parametrize("given", ["127.0.0.1:1", "127.0.0.1:1 ", "[::1]:1", "nosuch.invalid:6379", "127.0.0.1:1/"])
def test_an_address_without_a_ray_is_refused_at_once(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "no Ray answers there" in refusal(monkeypatch, given)


@pytest.mark.parametrize(
    "given",
    ["localhost", "127.0.0.1", "host:", ":6379", "host:port", "host:0", "host:99999", "::1:6379", "a:1,b:2", "u@h:1"],
)
def test_what_is_not_an_address_is_refused(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "HOST:PORT" in refusal(monkeypatch, given)


@pytest.mark.parametrize("given", ["ray://127.0.0.1:10001", "http://127.0.0.1:8265/"])
def test_a_url_cannot_be_joined(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "hrm-ray submit" in refusal(monkeypatch, given)


def test_what_answers_and_is_no_ray_is_given_up(silent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address, "ANSWER_SECONDS", 0.5)
    assert "no Ray answers there" in refusal(monkeypatch, silent)


@pytest.mark.parametrize(
    ("given", "joins"), [("", False), (" ", False), ("local", False), ("local ", False), ("auto", True)]
)
def test_what_joins_nothing_is_private(given: str, joins: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", given)
    assert address.joins_cluster() == joins
