"""Ranks of plain gloo: the one that is stopped is named, and since when."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from hrm_ray.launch import pulse
from hrm_ray.launch.pulse import Beat, Watch, clock, place
from tests.conftest import ROOT
from tests.launch.head import wait_until

BEAT_SECONDS = 0.2
RANK = f"""
import json, sys, time
from dataclasses import asdict
import torch, torch.distributed as dist
from hrm_ray.launch import pulse

pulse.BEAT_SECONDS = {BEAT_SECONDS}
rank = int(sys.argv[1])
dist.init_process_group("gloo", init_method="file://" + sys.argv[2], rank=rank, world_size=2)
with pulse.beating(rank, lambda beat: print(json.dumps(asdict(beat)), flush=True)):
    while True:
        dist.all_reduce(torch.ones(1000).sqrt())
"""


def heard_from(watch: Watch, process: subprocess.Popen[str]) -> None:
    for line in process.stdout or ():
        watch.hear(Beat(**json.loads(line)))


def next_sentence(watch: Watch) -> str:
    stop = time.monotonic() + 60
    while not (said := watch.late()):
        assert time.monotonic() < stop
        time.sleep(0.05)
    return said


@pytest.mark.fault
def test_a_rank_that_is_stopped_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulse, "BEAT_SECONDS", BEAT_SECONDS)
    command, watch = [sys.executable, "-c", RANK], Watch(seconds=3)
    ranks = [
        subprocess.Popen([*command, str(rank), str(tmp_path / "meeting")], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for rank in range(2)
    ]
    try:
        for process in ranks:
            threading.Thread(target=heard_from, args=(watch, process), daemon=True).start()
        wait_until(lambda: set(watch.moved) == {0, 1}, 120)
        assert watch.late() == ""
        for _ in range(2):  # it is named anew after it was heard of again
            os.kill(ranks[1].pid, signal.SIGSTOP)
            stopped = time.time()
            said = next_sentence(watch)
            assert f"rank 1 is late: silent since {clock(watch.heard[1])}" in said
            assert watch.heard[1] == pytest.approx(stopped, abs=2)
            assert "rank 0" not in said
            assert watch.late() == "", "it was named twice"
            os.kill(ranks[1].pid, signal.SIGCONT)
            wait_until(lambda: not watch.late() and not watch.named, 60)
    finally:
        for process in ranks:
            process.kill()
            process.wait()


def test_ranks_that_are_heard_of_and_do_nothing_are_named_with_their_places() -> None:
    watch = Watch(seconds=0.1)
    watch.hear(Beat(0, 1.0, "a.py"))
    watch.hear(Beat(1, 1.0, "b.py"))
    watch.hear(Beat(2, 1.0, "c.py"))
    watch.forget(2)
    time.sleep(0.15)
    watch.hear(Beat(0, 1.0, "a.py"))
    watch.hear(Beat(1, 2.0, "b.py"))
    assert "a.py" in (said := watch.late())
    assert "b.py" not in said
    watch.hear(Beat(0, 2.0, "a.py"))
    assert (watch.late(), watch.named) == ("", ())


def test_a_place_is_the_innermost_line_of_this_package(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def localtime(_: float) -> time.struct_time:
        seen.append(place(sys._getframe()))
        return time.gmtime(0)

    monkeypatch.setattr("time.localtime", localtime)
    clock(0.0)
    assert seen[0].startswith("hrm_ray.launch.pulse.clock, line ")
