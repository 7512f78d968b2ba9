"""A session starts its own Ray, and nothing of it is left."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hrm_ray.errors import UserError
from hrm_ray.launch.session import _auth_mode, require, session

SCRIPT = """
import os, sys, ray
from hrm_ray.launch.session import session
try:
    with session(cpus=1):
        node = ray.nodes()[0]
        print(ray._private.worker._global_node.get_session_dir_path(), node["NodeManagerAddress"],
              ray.cluster_resources()["CPU"], os.environ["RAY_AUTH_MODE"], sep="\\n")
        with session(cpus=2):
            pass
        assert ray.is_initialized(), "the inner session ended a Ray that it had not started"
        if "fail" in sys.argv:
            raise ValueError("on purpose")
finally:
    assert not ray.is_initialized()
    assert "RAY_AUTH_MODE" not in os.environ
"""


def run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    return subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments],
        env={**environment, "HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )


def command_lines() -> str:
    return "\n".join(
        path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if path.exists()
    )


def test_session_is_private_and_leaves_nothing(tmp_path: Path) -> None:
    for arguments in ([], ["fail"]):
        done = run(tmp_path, *arguments)
        assert done.returncode == (1 if arguments else 0), done.stderr
        folder, address, cpus, auth = done.stdout.split()
        assert (address, float(cpus), auth) == ("127.0.0.1", 1.0, "disabled")
        assert not Path(folder).parent.exists()
        assert folder not in command_lines()
        assert not (tmp_path / ".ray").exists(), "an authentication token was written"
        if not arguments:
            assert done.stderr == ""


@pytest.mark.parametrize(
    ("address", "sentence"),
    [("127.0.0.1:1", "no Ray answers there"), ("ray://127.0.0.1:10001", "only HOST:PORT of the head can be joined")],
)
def test_an_address_that_cannot_be_used_is_refused_at_once(
    address: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_ADDRESS", address)
    monkeypatch.setattr("ray.is_initialized", lambda: False)
    with pytest.raises(UserError, match=rf"RAY_ADDRESS {address}: {sentence}"), session(cpus=1):
        raise AssertionError("the block was entered")


def test_room_is_counted_node_by_node(monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = [{"Alive": True, "Resources": {"CPU": 3.0, "GPU": 1.0}}, {"Alive": True, "Resources": {"CPU": 1.0}}]
    monkeypatch.setattr("ray.nodes", lambda: [*nodes, {"Alive": False, "Resources": {"CPU": 64.0}}])
    monkeypatch.setattr("ray.cluster_resources", lambda: {"CPU": 4.0, "GPU": 1.0})
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    require({"CPU": 1}, 4, "four")
    require({"CPU": 3, "GPU": 1}, 1, "one")
    with pytest.raises(UserError, match=r"two of two are asked for, and Ray has room for 1 on its 2 node\(s\): 4 CPU"):
        require({"CPU": 2}, 2, "two of two are asked for")


def test_a_token_is_used_where_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert _auth_mode() == "disabled"
    (tmp_path / ".ray").mkdir()
    (tmp_path / ".ray" / "auth_token").write_text("0" * 32)
    assert _auth_mode() == "token"
