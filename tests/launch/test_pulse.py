"""Beats of ranks, and the sentences about those that are late; test_train.py stops a real one."""

from __future__ import annotations

import sys
import time

import pytest

from hrm_ray.launch import pulse
from hrm_ray.launch.pulse import Beat, Watch, clock, place


def test_a_rank_that_is_silent_is_named_once_and_again_after_it_was_heard_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulse, "BEAT_SECONDS", 0.01)
    watch = Watch(seconds=0.1)
    for turn in range(2):
        watch.hear(Beat(1, 1.0 + turn, "b.py"))
        assert (watch.late(), watch.named) == ("", ())
        time.sleep(0.15)
        watch.hear(Beat(0, 1.0, "a.py"))  # it waits for rank 1
        assert f"rank 1 is late: silent since {clock(watch.heard[1])}" in (said := watch.late())
        assert "rank 0" not in said
        assert watch.late() == "", "it was named twice"


def test_a_rank_beats_with_the_time_of_its_work_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulse, "BEAT_SECONDS", 0.02)
    beats: list[Beat] = []
    with pulse.beating(3, beats.append):
        stop = time.thread_time() + 0.1
        while time.thread_time() < stop:
            pass
        worked = len(beats)
        time.sleep(0.2)
    assert {beat.rank for beat in beats} == {3}
    assert beats[worked - 1].seconds > beats[0].seconds + 0.03
    assert beats[-1].seconds < beats[worked].seconds + 0.02


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
