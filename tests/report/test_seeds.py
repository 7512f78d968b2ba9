"""Figures and leads over seeds."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import pytest

from hrm_ray.report import seeds
from hrm_ray.report.decide import Decision
from hrm_ray.report.files import read
from hrm_ray.report.page import write
from hrm_ray.report.seeds import Spread
from tests.report.conftest import Folder, spoil
from tests.report.test_decide import check


def again(folder: Folder, bits: float, beside: float = 1.310) -> Folder:
    """The same run with another seed; `beside` are the bits of its plain model of equal parameters."""
    one = deepcopy(folder)
    one.seeds = []
    spoil(one, "losses", "plan_and_code_bits_per_code_byte", value=bits)
    spoil(one.baselines["equal_parameters"], "losses", "plan_and_code_bits_per_code_byte", value=beside)
    return one


@pytest.fixture
def ahead(folder: Folder) -> Folder:
    """The good run, ahead of both plain models by its own count too."""
    for one in folder.baselines.values():
        spoil(one, "generation", "all", "improved_share", value=0.25)
    return folder


def test_the_interval_is_students_and_never_from_two() -> None:
    found = Spread((1.0, 2.0, 4.0)).interval  # sd 1.5275, t(0.975, 2) = 4.3027
    assert found == pytest.approx((7 / 3 - 3.7946, 7 / 3 + 3.7946), abs=1e-3)
    assert Spread((1.0, 2.0)).interval is None


def test_leads_are_taken_seed_by_seed(folder: Folder, tmp_path: Path) -> None:
    folder.seeds = [again(folder, 1.20, 1.30), again(folder, 1.22, 1.34)]
    run = read(folder.write(tmp_path))
    found = seeds.lead(run, "equal_parameters", seeds.bits)
    assert found is not None
    assert found.values == pytest.approx((1.234 - 1.310, -0.10, -0.12))
    assert (found.interval or (0, 0))[1] < 0


def test_a_seed_without_its_plain_model_leaves_no_lead(folder: Folder, tmp_path: Path) -> None:
    folder.seeds = [again(folder, 1.2), again(folder, 1.2)]
    del folder.seeds[1].baselines["equal_parameters"]
    run = read(folder.write(tmp_path))
    assert seeds.lead(run, "equal_parameters", seeds.bits) is None
    assert seeds.lead(run, "equal_flops", seeds.bits) is not None


def test_a_seed_that_went_another_way_does_not_count_and_is_named(folder: Folder, tmp_path: Path) -> None:
    folder.seeds = [again(folder, 1.2), again(folder, 1.2)]
    folder.seeds[1].run["horizon"] = 400
    folder.seeds[1].run["name"] = "2"
    run = read(folder.write(tmp_path))
    assert len(seeds.comparable(run)) == 2
    text = write(tmp_path).path.read_text("utf-8")
    assert "Seed 2: its horizon is 400 steps" in text
    assert "there are 2 of the 3 that an interval needs" in text


def test_what_is_luck_has_a_table(folder: Folder, tmp_path: Path) -> None:
    assert "What is luck?" not in write(folder.write(tmp_path)).path.read_text("utf-8")
    folder.seeds = [again(folder, 1.20), again(folder, 1.25)]
    text = write(folder.write(tmp_path)).path.read_text("utf-8")
    assert "What is luck?" in text
    assert "Less the plain model of equal FLOPs" in text
    assert "The spread between seeds" not in text


def test_a_lead_that_another_seed_does_not_have_is_none(ahead: Folder, verdict: Callable[..., Decision]) -> None:
    ahead.seeds = [again(ahead, 1.20), again(ahead, 1.22)]
    assert verdict(ahead).verdict == "GO"
    ahead.seeds[1] = again(ahead, 1.45)
    decision = verdict(ahead)
    assert decision.verdict == "NO-GO"
    found = check(decision, 3, "Against the plain model of equal parameters", "Plan and code bits less its own, over 3")
    assert found.answer == "no"


def test_improving_no_more_often_over_seeds_is_no_lead(ahead: Folder, verdict: Callable[..., Decision]) -> None:
    ahead.seeds = [again(ahead, 1.20), again(ahead, 1.22)]
    spoil(ahead.seeds[0].baselines["equal_flops"], "generation", "all", "improved_share", value=0.40)
    found = check(verdict(ahead), 3, "Against the plain model of equal FLOPs", "Lead in improved share, over 3")
    assert found.answer == "no"


def test_two_seeds_decide_nothing(ahead: Folder, verdict: Callable[..., Decision]) -> None:
    ahead.seeds = [again(ahead, 1.45)]
    decision = verdict(ahead)
    assert decision.verdict == "GO"
    assert not any("seeds" in one.what for question in decision.questions for one in question.checks)
