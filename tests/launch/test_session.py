"""A session starts its own Ray, and nothing of it is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hrm_ray.errors import UserError
from hrm_ray.launch.private import own_folder
from hrm_ray.launch.session import require

SCRIPT = """
import ipaddress, os, sys, psutil, ray
from hrm_ray.launch.session import session

def beyond():
    "Return what Ray and its workers listen on beyond the loopback."
    found = [process.net_connections("tcp") for process in psutil.Process().children(recursive=True)]
    addresses = {each.laddr.ip.removeprefix("::ffff:") for some in found for each in some if each.status == "LISTEN"}
    assert addresses, "nothing listens at all"
    return [address for address in addresses if not ipaddress.ip_address(address).is_loopback]

before = os.environ.get("RAY_AUTH_MODE")
try:
    with session(cpus=1):
        node = ray.nodes()[0]
        assert ray.get(ray.remote(lambda: 7).remote()) == 7
        print(ray._private.worker._global_node.get_session_dir_path(), node["NodeManagerAddress"],
              ray.cluster_resources()["CPU"], os.environ["RAY_AUTH_MODE"], beyond(), sep="\\n")
        with session(cpus=2):
            pass
        assert ray.is_initialized(), "the inner session ended a Ray that it had not started"
        if "fail" in sys.argv:
            raise ValueError("on purpose")
finally:
    assert not ray.is_initialized()
    assert os.environ.get("RAY_AUTH_MODE") == before
"""


def run(home: Path, *arguments: str, **shell: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    return subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments],
        env={**environment, "HOME": str(home)} | shell,
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


@pytest.mark.parametrize(
    ("arguments", "shell"),
    [([], {"RAY_AUTH_MODE": "token"}), (["fail"], {"RAY_AUTH_MODE": "disabled", "RAY_ADDRESS": "local"})],
)
def test_session_is_private_and_leaves_nothing(arguments: list[str], shell: dict[str, str], tmp_path: Path) -> None:
    done = run(tmp_path, *arguments, **shell)
    assert done.returncode == (1 if arguments else 0), done.stderr
    folder, address, cpus, auth, beyond = done.stdout.split()
    assert (address, float(cpus), auth, beyond) == ("127.0.0.1", 1.0, "disabled", "[]")
    assert not Path(folder).parent.exists()
    assert folder not in command_lines()
    assert not (tmp_path / ".ray").exists(), "an authentication token was written"
    if not arguments:
        assert done.stderr == ""


HOLDER = """
import time
from hrm_ray.launch.private import own_folder
with own_folder() as folder:
    print(folder, flush=True)
    time.sleep(600)
"""


@pytest.mark.fault
def test_what_a_killed_driver_leaves_is_removed_at_the_next_start() -> None:
    command = [sys.executable, "-c", HOLDER]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as killed,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as alive,
    ):
        left, held = (Path(next(iter(process.stdout or ())).strip()) for process in (killed, alive))
        (left / "session").mkdir()
        killed.kill()
        killed.wait()
        assert left.is_dir()
        with own_folder():
            assert not left.exists()
            assert held.is_dir(), "the folder of a living driver was removed"
        alive.send_signal(signal.SIGINT)
        alive.wait()
        assert not held.exists()


SLOW = """
import os, signal, sys, time, types
import psutil
from ray._private.node import Node
from hrm_ray.errors import UserError
from hrm_ray.launch.private import SETTINGS
from hrm_ray.launch.session import session

SETTINGS["RAY_raylet_start_wait_time_s"] = "1"
start_raylet, tries, slow = Node.start_raylet, [], 2

def stand_still(self, *given, **options):
    "Stop the raylet, and make the 30 s of Ray's own loop short, as if this machine had no time for it."
    tries.append(self)
    start_raylet(self, *given, **options)
    stopped = len(tries) <= slow
    if stopped:
        os.kill(self.all_processes["raylet"][0].process.pid, signal.SIGSTOP)
    hurried = types.SimpleNamespace(monotonic=lambda: time.monotonic() * 1000, sleep=time.sleep, time=time.time)
    sys.modules[Node.__module__].time = hurried if stopped else time

Node.start_raylet = stand_still
try:
    with session(cpus=1):
        raise AssertionError("it came up")
except UserError as error:
    print(len(tries), error)
print([process.name() for process in psutil.Process().children(recursive=True)])
slow = 3
with session(cpus=1):
    print(len(tries))
"""


@pytest.mark.fault
def test_a_start_that_is_slow_is_made_again_once(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    done = subprocess.run([sys.executable, "-c", SLOW], env=environment, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    refused, left, up = done.stdout.splitlines()
    assert refused.startswith("2 ")
    assert left == "[]"
    assert up == "4"


def test_room_is_counted_node_by_node(monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = [{"Alive": True, "Resources": {"CPU": 3.0, "GPU": 1.0}}, {"Alive": True, "Resources": {"CPU": 1.0}}]
    monkeypatch.setattr("ray.nodes", lambda: [*nodes, {"Alive": False, "Resources": {"CPU": 64.0}}])
    monkeypatch.setattr("ray.cluster_resources", lambda: {"CPU": 4.0, "GPU": 1.0})
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    require({"CPU": 1}, 4, "four")
    require({"CPU": 3, "GPU": 1}, 1, "one")
    with pytest.raises(UserError, match=r"two of two are asked for, and Ray has room for 1 on its 2 node\(s\): 4 CPU"):
        require({"CPU": 2}, 2, "two of two are asked for")
