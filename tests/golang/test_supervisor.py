"""The helper under hostile input: it ends, its answer is None, and the next question has one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Timer

import pytest

from hrm_ray.golang.supervisor import LONGEST, Helper, built, helper
from hrm_ray.golang.toolchain import Toolchain

FINE = "package p\n\nfunc f() int { return 1 }\n"
DEPTH = 100_000
DEEP = "package p\n\nvar x = " + "(" * DEPTH + "1" + ")" * DEPTH + "\n"
DEEP_TYPE = "package p\n\nvar x " + "[]" * 90_000 + "int\n"
TWICE = "type pair[A, B any] struct { a A; b B }\n\nfunc twice[T any](x T) (y pair[T, T]) { return }\n"
EXPONENTIAL = f"package p\n\n{TWICE}\nvar x = {'twice(' * 40}1{')' * 40}\n"


@pytest.fixture
def bounded(go: Toolchain) -> Iterator[Helper]:
    """A helper with little time and memory."""
    found = helper(go, seconds=2, memory=512 << 20)
    assert found is not None
    with found:
        yield found


def outcome(asked: Helper, source: str) -> str | None:
    answer = asked.ask(source, 11, len(source.encode()), types=True)
    return str(answer["outcome"]) if answer else None


@pytest.mark.parametrize("source", [DEEP, DEEP_TYPE, EXPONENTIAL])
def test_what_is_too_much_costs_one_answer(bounded: Helper, source: str) -> None:
    start = time.perf_counter()
    assert outcome(bounded, source) in {None, "not valid", "unknown"}
    assert time.perf_counter() - start < 20
    assert outcome(bounded, FINE) == "valid"
    assert bounded.starts <= 2


def test_exponential_generics_end_it(bounded: Helper) -> None:
    assert outcome(bounded, EXPONENTIAL) is None
    assert bounded.pid is None
    assert outcome(bounded, FINE) == "valid"
    assert bounded.starts == 2


@pytest.mark.fault
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_one_that_is_killed_or_stopped_is_replaced(bounded: Helper, number: int) -> None:
    assert outcome(bounded, FINE) == "valid"
    first = bounded.pid
    assert first is not None
    os.kill(first, number)
    assert outcome(bounded, "package p\n//" + "x" * (1 << 20)) is None
    assert outcome(bounded, FINE) == "valid"
    assert bounded.pid != first


def test_what_is_too_long_is_not_asked(asked: Helper) -> None:
    assert outcome(asked, FINE + "//" + "x" * LONGEST) is None
    assert outcome(asked, FINE + "//" + "😀" * (LONGEST // 4)) is None
    assert outcome(asked, FINE + "//" + "😀" * (LONGEST // 8)) == "valid"


@pytest.mark.fault
def test_a_question_that_is_interrupted_leaves_no_answer_to_the_next(bounded: Helper) -> None:
    assert outcome(bounded, FINE) == "valid"
    assert bounded.pid is not None
    os.kill(bounded.pid, signal.SIGSTOP)  # so that it is surely interrupted before it answers
    interrupt = Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
    interrupt.start()
    with pytest.raises(KeyboardInterrupt):
        outcome(bounded, FINE)
    assert outcome(bounded, FINE) == "valid"
    interrupt.join()


@pytest.mark.parametrize(
    "source", ["", "\0" * (1 << 20), "package p\n\ud800", "\ufeffpackage p\r\n", "package p\n" + "{" * DEPTH]
)
def test_bytes_of_any_kind_have_an_answer(asked: Helper, source: str) -> None:
    assert asked.ask(source, 0, 0, types=True) is not None


@pytest.mark.fault
def test_no_orphan_stays_even_of_an_endless_question(go: Toolchain) -> None:
    program = built(go)
    code = (
        "import os, sys, threading; from pathlib import Path; from hrm_ray.golang.supervisor import Helper\n"
        f"asked = Helper(Path({str(program)!r}), Path({str(go.root)!r}), seconds=600, memory=4 << 30)\n"
        f"asked.ask({FINE!r}, 0, 1, types=True); print(asked.pid, flush=True)\n"
        "asked.ask(sys.stdin.read(), 0, 1, types=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.stdin.write(EXPONENTIAL)
        parent.stdin.close()
        time.sleep(0.5)
        parent.kill()
    wait_for_end(pid)


def wait_for_end(pid: int) -> None:
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and "State:\tZ" not in Path(f"/proc/{pid}/status").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_it_is_built_once(go: Toolchain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOCACHE", (go.run("env", "GOCACHE") or "").strip())  # or go/types is compiled once more
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    first = built(go)
    assert first is not None
    before = first.stat().st_mtime_ns
    assert built(go) == first
    assert first.stat().st_mtime_ns == before
    assert built(Toolchain("/absent/go", go.root)) is None


@pytest.mark.parametrize("source", [DEEP, DEEP_TYPE, EXPONENTIAL, "package p\n" + "{" * DEPTH, "\0" * (1 << 20)])
def test_layouts_of_what_is_too_much_cost_the_other_files_nothing(bounded: Helper, source: str) -> None:
    before, _, after = bounded.layouts([FINE, source, FINE])
    assert before is not None
    assert after is not None
    assert before["valid"] and after["valid"]


@pytest.mark.fault
def test_a_helper_that_stands_still_is_replaced_for_layouts_too(bounded: Helper) -> None:
    assert bounded.layouts([FINE])
    assert bounded.pid is not None
    os.kill(bounded.pid, signal.SIGSTOP)
    assert [one and one["valid"] for one in bounded.layouts([FINE, "package p\n//" + "x" * (1 << 20)])] == [True, True]
    assert bounded.starts == 2
