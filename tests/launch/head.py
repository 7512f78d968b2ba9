"""A Ray head of the tests' own, with a dashboard and a token."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import pytest

TOKEN = "5ca1ab1e" * 8


@dataclass(frozen=True)
class Head:
    """A Ray head of the tests' own; `environment` is that of a user who has its token."""

    folder: Path
    address: str
    gcs: str
    """HOST:PORT, for drivers."""
    environment: dict[str, str]

    def run(self, *words: str, cwd: Path, **changes: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            words, cwd=cwd, env=self.environment | changes, capture_output=True, text=True, check=False, timeout=200
        )
        assert TOKEN not in done.stdout + done.stderr
        return done

    def ray_job_submit(self, checkout: Path, *words: str, **changes: str) -> subprocess.CompletedProcess[str]:
        command = ["ray", "job", "submit", "--address", self.address, "--working-dir", str(checkout)]
        command += ["--runtime-env", "cluster/runtime_env.yaml", "--", "python", "-m", "hrm_ray", *words]
        return self.run(*command, cwd=checkout, **changes)

    def submit(self, checkout: Path, *words: str, **changes: str) -> subprocess.CompletedProcess[str]:
        address = {"RAY_ADDRESS": self.address}
        return self.run(sys.executable, "-m", "hrm_ray", "submit", *words, cwd=checkout, **(address | changes))

    def get(self, path: str) -> str:
        request = Request(self.address + path, headers={"Authorization": f"Bearer {TOKEN}"})
        with urlopen(request, timeout=20) as answer:
            text: str = answer.read().decode()
        return text


def free_ports(count: int) -> list[int]:
    """Held open together, so that no two are the same."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def processes_of(folder: Path) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in line:
            found.append(line)
    return found


def wait_until(true: Callable[[], bool], seconds: float) -> None:
    stop = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < stop
        time.sleep(0.2)


def answers(address: str) -> bool:
    try:
        urlopen(address, timeout=5).close()
    except HTTPError:
        return True
    except (URLError, OSError):
        return False
    return True


@pytest.fixture(scope="package")
def head() -> Iterator[Head]:
    folder = Path(tempfile.mkdtemp(prefix="hj-", dir="/tmp"))  # the paths of Unix sockets are limited to 107 characters
    gcs, dashboard, agent, client = free_ports(4)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("RAY_", "XDG_"))}
    environment = inherited | {
        "RAY_worker_niceness": "0",  # 15 more than this process has would starve its workers beside other tests
        "HOME": str(folder / "home"),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",  # a job's python is the head's
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": TOKEN,
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        "NO_COLOR": "1",
    }
    (folder / "home").mkdir()
    command = ["ray", "start", "--head", "--block", "--disable-usage-stats", "--include-dashboard=true"]
    command += ["--node-ip-address=127.0.0.1", "--dashboard-host=127.0.0.1", f"--port={gcs}"]
    command += [f"--dashboard-port={dashboard}", f"--dashboard-agent-listen-port={agent}"]
    command += [f"--ray-client-server-port={client}", "--num-cpus=2", f"--object-store-memory={100 << 20}"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [*command, f"--temp-dir={folder / 'ray'}"], env=environment, stdout=log, stderr=log, start_new_session=True
        )
    address = f"http://127.0.0.1:{dashboard}"
    try:
        wait_until(lambda: answers(address) or process.poll() is not None, 120)
        assert process.poll() is None, (folder / "log").read_text()
        yield Head(folder, address, f"127.0.0.1:{gcs}", environment)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        wait_until(lambda: not processes_of(folder), 30)
        shutil.rmtree(folder)
