"""What a run will cost is measured on this machine, and guessed only where nothing can be known yet."""

from __future__ import annotations

import multiprocessing
from dataclasses import replace
from pathlib import Path

import pytest

from hrm_ray import settings
from hrm_ray.errors import UserError
from hrm_ray.launch.command import cost, derived, shortage, show, train_all
from hrm_ray.prepare.card import CARD
from hrm_ray.train.cost import TOKENS_PER_PULL_REQUEST, Cost, expected_steps, measure, row
from hrm_ray.train.feed import open_feed
from hrm_ray.train.fit import LAST
from tests.conftest import ROOT
from tests.train.conftest import VOCABULARY, run_config, write_dataset


def test_rows_are_full() -> None:
    assert sum(document.size for document in row(1024, 100, seed=0)) > 1000


def test_a_larger_network_costs_more(dataset: Path, tmp_path: Path) -> None:
    small = run_config(dataset, tmp_path)
    large = small.model_copy(update={"model": small.model.model_copy(update={"hidden": 256, "layers": 4, "heads": 4})})
    # In a fresh process, which has no memory left over from other work; the first measurement there loads libraries.
    with multiprocessing.get_context("spawn").Pool(1) as fresh:
        _, cheap, dear = fresh.starmap(measure, [(config, VOCABULARY) for config in (small, small, large)], chunksize=1)
    assert dear.row_seconds > cheap.row_seconds > 0
    assert dear.row_bytes > cheap.row_bytes
    one, four = (large.train.model_copy(update={"micro_rows": rows, "rows": 4}) for rows in (1, 4))
    assert dear.bytes(four) - dear.bytes(one) == 3 * dear.row_bytes
    assert 0 < dear.again_bytes < dear.row_bytes
    again = four.model_copy(update={"activation_checkpointing": True})
    assert dear.bytes(four) - dear.bytes(again) == 4 * (dear.row_bytes - dear.again_bytes)
    assert dear.bytes(one) > dear.base_bytes + 16 * dear.parameters > 16 * cheap.parameters
    assert dear.free_bytes > dear.bytes(four)


def test_the_steps_of_a_prepared_run_are_known(dataset: Path, tmp_path: Path) -> None:
    config = run_config(dataset, tmp_path, workers=2)
    assert f"{open_feed(config).horizon} steps of at most 768 tokens" in derived(config)
    first, *_ = cost(config)
    assert "MiB for each process" in first


def test_what_cannot_be_mixed_is_refused_as_train_refuses_it(dataset: Path, tmp_path: Path) -> None:
    other = write_dataset(tmp_path / "other")
    (other / CARD).write_text((other / CARD).read_text().replace("of the tokenizer", "of another"))
    config = run_config(dataset, tmp_path, mixture=[{"data": str(other), "weight": 0.4}])
    for verb in (show, train_all):
        with pytest.raises(UserError, match=f"^{other}: was prepared with another tokenizer than {dataset}; "):
            verb(config)


def test_rows_that_do_not_divide_are_told_and_taken(dataset: Path, tmp_path: Path) -> None:
    odd = run_config(dataset, tmp_path, workers=2)
    assert "6 rows a step leave 2 places in the workers' micro-batches of 2 empty" in derived(odd)
    assert not any("empty" in fact for fact in derived(run_config(dataset, tmp_path, workers=3)))


def test_the_first_run_has_an_expected_cost_before_anything_is_there(tmp_path: Path) -> None:
    config = settings.load(ROOT / "experiments" / "first-run.yaml", [f"data={tmp_path}"])
    tokens = 10 * 50 * TOKENS_PER_PULL_REQUEST * 0.7
    assert expected_steps(config) == pytest.approx(3 * tokens / (11 * 1024), rel=0.03)
    tiny = config.model_copy(update={"model": config.model.model_copy(update={"hidden": 32, "layers": 1, "heads": 2})})
    first, *_ = cost(tiny)
    assert "a guess until prepared" in first


def test_nothing_is_guessed_of_synthetic_pull_requests(tmp_path: Path) -> None:
    facts = list(cost(settings.load(ROOT / "experiments" / "demo.yaml", [f"data={tmp_path}"])))
    assert facts == ["steps and cost: unknown until prepared"]


COST = Cost(
    row_seconds=1.0, base_bytes=0, parameters=10, row_bytes=50, again_bytes=40, free_bytes=0, device="cpu", threads=1
)
"""Its state takes 160 bytes in one process; of two, each holds 140, 120, 120 at stages 1 to 3; of four, 110, 80, 60."""


@pytest.mark.parametrize(
    ("settings", "free", "advised"),
    [
        ({"micro_rows": 4}, 360, None),
        ({"micro_rows": 4}, 359, "--set train.micro_rows=2"),
        ({"micro_rows": 4}, 259, "--set train.micro_rows=1"),
        ({"micro_rows": 4}, 209, "--set train.micro_rows=1 --set train.activation_checkpointing=true"),
        ({"micro_rows": 1}, 209, "--set train.activation_checkpointing=true"),
        ({"micro_rows": 4}, 199, LAST),
        ({"micro_rows": 2, "workers": 2}, 480, None),
        ({"micro_rows": 2, "workers": 2}, 479, "--set train.micro_rows=1"),
        ({"micro_rows": 2, "workers": 2}, 379, "--set train.micro_rows=1 --set train.zero_stage=2"),
        ({"micro_rows": 1, "workers": 2}, 379, "--set train.zero_stage=2"),
        ({"micro_rows": 1, "workers": 4}, 519, "--set train.zero_stage=3"),
        ({"micro_rows": 1, "workers": 4}, 399, LAST),
        ({"micro_rows": 2, "workers": 2}, 299, LAST),
        ({"micro_rows": 1, "workers": 2, "zero_stage": 0, "optimizer": {"kind": "muon"}}, 0, LAST),
    ],
)
def test_what_costs_least_and_fits_is_advised(
    dataset: Path, tmp_path: Path, settings: dict[str, int], free: int, advised: str | None
) -> None:
    train = run_config(dataset, tmp_path, **({"rows": 4, "zero_stage": 1} | settings)).train
    facts = list(shortage(train, replace(COST, free_bytes=free)))
    assert facts == [] if advised is None else facts[0].endswith(f"costs least: {advised}")


def test_a_gpu_is_not_shared(dataset: Path, tmp_path: Path) -> None:
    train = run_config(dataset, tmp_path, rows=4, micro_rows=2, workers=2).train
    assert list(shortage(train, replace(COST, free_bytes=240, device="cuda"))) == []
    assert "for this GPU" in next(shortage(train, replace(COST, free_bytes=239, device="cuda")))


def test_other_nodes_are_not_counted(dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train = run_config(dataset, tmp_path, rows=4, micro_rows=2, workers=2).train
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    assert list(shortage(train, replace(COST, free_bytes=240))) == []
