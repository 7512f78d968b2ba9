"""The paired lead over a baseline."""

from __future__ import annotations

from pathlib import Path

import pytest

from hrm_ray.report.compare import Lead, lead, obstacles, saving
from hrm_ray.report.files import Read, Sample, read
from tests.report.conftest import Folder, sample


def samples(*improved: bool, pulls: int = 1) -> list[Sample]:
    """One sample for each outcome; `pulls` consecutive ones share a pull request."""
    given = [Sample.model_validate(sample(index, one)) for index, one in enumerate(improved)]
    return [one.model_copy(update={"number": index // pulls}) for index, one in enumerate(given)]


def width(found: Lead) -> float:
    assert found.interval is not None
    return found.interval[1] - found.interval[0]


def test_the_lead_is_the_mean_difference_over_common_ids() -> None:
    ours, theirs = samples(True, True, True, False), samples(True, False, False, False, True)
    found = lead(ours, theirs)
    assert found is not None
    assert found.interval is not None
    assert (found.pairs, found.mean) == (4, 0.5)
    assert found.interval[0] < 0.5 < found.interval[1]


def test_no_common_id_is_no_lead() -> None:
    assert lead(samples(True), []) is None


def test_equal_outcomes_have_a_lead_of_nothing() -> None:
    found = lead(samples(*[True, False] * 50), samples(*[True, False] * 50))
    assert found is not None
    assert (found.mean, found.interval) == (0, (0, 0))


def test_the_interval_is_wider_when_a_pull_request_decides_as_one() -> None:
    ours, theirs = [index % 20 < 10 for index in range(200)], [False] * 200
    alone, together = lead(samples(*ours), samples(*theirs)), lead(samples(*ours, pulls=10), samples(*theirs, pulls=10))
    assert alone is not None
    assert together is not None
    assert width(together) > 2 * width(alone)


def test_the_interval_has_the_width_that_theory_gives_and_repeats() -> None:
    ours = samples(*[index % 2 == 0 for index in range(400)])
    found = lead(ours, samples(*[False] * 400))
    assert found is not None
    assert width(found) == pytest.approx(2 * 1.96 * 0.025, rel=0.1)
    assert lead(ours, samples(*[False] * 400)) == found


def test_a_saving_is_of_all_bits_and_pairs_the_documents() -> None:
    """A run that halves a long document and doubles a short one saves: 3 of 11 nats."""
    theirs, ours = documents(8, 1, 2), documents(4, 2, 2, 5)
    found = saving(ours, theirs)
    assert found is not None
    assert found.pairs == 3
    assert found.mean == pytest.approx(3 / 11)
    alike, unlike = saving(documents(*[9.0, 90.0] * 20), documents(*[10.0, 100.0] * 20)), saving(ours, theirs)
    assert alike is not None
    assert unlike is not None
    assert alike.interval == pytest.approx((0.1, 0.1))  # each saves as much: pairs leave no doubt
    assert unlike.interval is not None
    assert unlike.interval[0] < 0 < unlike.mean


def documents(*nats: float) -> list[Read]:
    held = {"repository": "acme/rockets", "plan_nats": 0}
    return [Read.model_validate(held | {"id": f"{at}", "number": at, "code_nats": of}) for at, of in enumerate(nats)]


@pytest.mark.parametrize("pulls", [1, 2])
def test_one_or_two_pull_requests_give_no_interval(pulls: int) -> None:
    ours = samples(*[True] * 12, pulls=12 // pulls)
    found = lead(ours, samples(*[False] * 12, pulls=12 // pulls))
    assert found is not None
    assert (found.mean, found.interval) == (1, None)


def test_every_obstacle_is_named(folder: Folder, tmp_path: Path) -> None:
    baseline = folder.baselines["equal_flops"]
    folder.train = folder.train[:150]
    baseline.run |= {"dataset_hash": "other", "horizon": 400}
    baseline.evaluation = None
    run = read(folder.write(tmp_path))
    assert obstacles(run, run.baselines["equal_flops"]) == (
        "it was trained on other data",
        "its horizon is 400 steps, the run's 200",
        "the run's last logged step is 150 of 200",
        "its last logged step is 200 of 400",
        "it was not evaluated",
    )
    assert obstacles(run, run.baselines["equal_parameters"]) == ("the run's last logged step is 150 of 200",)


def test_a_horizon_that_was_raised_otherwise_is_an_obstacle(folder: Folder, tmp_path: Path) -> None:
    folder.run |= {"extensions": [{"step": 100, "horizon": 100}]}
    run = read(folder.write(tmp_path))
    why = "its horizon was not raised at the steps at which the run's was, so its rates are others"
    assert obstacles(run, run.baselines["equal_flops"]) == (why,)
