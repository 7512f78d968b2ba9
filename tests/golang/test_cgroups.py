"""Control groups: where they can be made in either version, and what they say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hrm_ray.golang import cgroups, launcher
from hrm_ray.golang.cgroups import Group, hierarchies

V1 = """35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:3 - cgroup cgroup rw,memory
39 31 0:36 /box /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
23 1 0:2 / / rw - ext4 /dev/vda rw
24 1 0:3 / /run rw -  tmpfs  rw
"""
V2 = "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"


def test_version_1_has_a_hierarchy_for_each_controller() -> None:
    ours = "8:pids:/box/run\n4:memory:/a/b\n0::/\n"
    assert list(hierarchies("memory", ours, V1)) == [
        (Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup/memory/a/b")),
        (Path("/sys/fs/cgroup/unified"), Path("/sys/fs/cgroup/unified")),
    ]
    assert next(hierarchies("pids", ours, V1)) == (Path("/sys/fs/cgroup/pids"), Path("/sys/fs/cgroup/pids/run"))
    outside = next(hierarchies("pids", "8:pids:/other\n", V1))
    assert outside == (Path("/sys/fs/cgroup/pids"), Path("/sys/fs/cgroup/pids"))


def test_version_2_has_one() -> None:
    own = Path("/sys/fs/cgroup/user.slice/app.scope")
    assert list(hierarchies("pids", "0::/user.slice/app.scope\n", V2)) == [(Path("/sys/fs/cgroup"), own)]
    assert list(hierarchies("memory", "0::/\n", "23 1 0:2 / / rw - ext4 /dev/vda rw\n")) == []


def test_a_group_of_version_2_must_have_both_controllers(tmp_path: Path) -> None:
    (tmp_path / "pids.max").touch()
    assert cgroups.holds(tmp_path, "pids")
    assert not cgroups.holds(tmp_path, "memory")
    (tmp_path / "cgroup.controllers").touch()
    assert not cgroups.holds(tmp_path, "pids")
    (tmp_path / "memory.max").touch()
    assert cgroups.holds(tmp_path, "pids")


def test_limits_and_events_of_version_2(tmp_path: Path) -> None:
    for name in ("memory.max", "memory.swap.max", "pids.max"):
        (tmp_path / name).write_text("max")
    group = Group(tmp_path, tmp_path)
    group.limit(1 << 20, 7)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "memory.max": "1048576",
        "memory.swap.max": "0",
        "pids.max": "7",
    }
    assert group.entrances == [str(tmp_path / "cgroup.procs")]
    assert not group.memory_ran_out
    assert not group.processes_ran_out
    (tmp_path / "memory.events").write_text("low 0\noom 3\noom_kill 1\n")
    (tmp_path / "pids.events").write_text("max 2\n")
    assert group.memory_ran_out
    assert group.processes_ran_out


def test_a_group_bounds_what_enters_it_and_ends_it() -> None:
    try:
        cgroups.places()
    except LookupError as error:
        pytest.skip(str(error))
    with cgroups.group(64 << 20, 8) as group:
        told = json.dumps({"parent": os.getpid(), "groups": group.entrances, "limits": {"RLIMIT_CORE": 0}})
        line = [sys.executable, "-I", "-S", launcher.__file__, told, "sleep", "3600"]
        sleeper = subprocess.Popen(line)
        while str(sleeper.pid) not in (group.pids / "cgroup.procs").read_text().split():
            assert sleeper.poll() is None
        assert (group.pids / "pids.max").read_text().strip() == "8"
        with cgroups.group(64 << 20, 8) as other:
            assert other.pids != group.pids
    assert sleeper.wait(10) == -9
    assert not group.pids.exists()


def test_groups_of_the_dead_are_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("hrm-ray-99999999-0", f"hrm-ray-{os.getpid()}-0"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(cgroups, "hierarchies", lambda *_: iter([(tmp_path, tmp_path)]))
    monkeypatch.setattr(cgroups, "_can_hold", lambda *_: True)
    cgroups.places.__wrapped__()
    assert [left.name for left in tmp_path.iterdir()] == [f"hrm-ray-{os.getpid()}-0"]
    monkeypatch.setattr(cgroups, "_can_hold", lambda *_: False)
    with pytest.raises(LookupError, match="no control group that has memory"):
        cgroups.places.__wrapped__()


def test_nothing_starts_for_who_is_gone() -> None:
    told = json.dumps({"parent": 1 << 22, "groups": [], "limits": {}})
    line = [sys.executable, "-I", "-S", launcher.__file__, told, "echo", "started"]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "is gone" in done.stderr
