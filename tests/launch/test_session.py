"""A session starts its own Ray, and nothing of it is left."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

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
