"""DeepSpeed ZeRO in two real processes against the plain engine, which is what "exact" is measured by (design.md)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor

from hrm_ray.model.hrm import HRM
from hrm_ray.train import checkpoint
from hrm_ray.train.engine import PlainEngine
from hrm_ray.train.run import build_model
from tests.conftest import ROOT
from tests.train import probing
from tests.train.conftest import VOCABULARY, run_config
from tests.train.rank import BAD, MORE, STAGES, STEPS, steps, validated

WORLD = 2
OPTIMIZERS = dict(enumerate(["AdamW", *["DeepSpeedZeroOptimizer"] * 2, "DeepSpeedZeroOptimizer_Stage3"]))


class Trained(NamedTuple):
    """What a run ended with."""

    losses: list[float]
    norms: list[float]
    weights: dict[str, Tensor]
    moments: dict[str, Tensor]


@pytest.fixture(scope="module", params=STAGES)
def ranks(request: pytest.FixtureRequest, dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that two ranks of one stage have left."""
    folder = tmp_path_factory.mktemp(f"stage{request.param}-")
    environment = os.environ | {"TORCH_EXTENSIONS_DIR": str(folder / "extensions"), "DS_ACCELERATOR": "cpu"}
    commands = [
        [sys.executable, "-m", "tests.train.rank", *map(str, (rank, WORLD, request.param, dataset, folder))]
        for rank in range(WORLD)
    ]
    logs = [(folder / f"log-{rank}").open("w") for rank in range(WORLD)]
    processes = [
        subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        for command, log in zip(commands, logs, strict=True)
    ]
    try:
        codes = [process.wait(timeout=150) for process in processes]
    finally:
        for process, log in zip(processes, logs, strict=True):
            process.kill()
            log.close()
    assert codes == [0, 0], (folder / "log-0").read_text()[-3000:] + (folder / "log-1").read_text()[-3000:]
    return folder


def train_plainly(dataset: Path, order: int = 1, seed: int = 0) -> Trained:
    config = run_config(dataset, dataset)
    torch.manual_seed(seed)
    engine = PlainEngine(HRM(config.model, VOCABULARY), config.train)
    return trained(engine, steps(engine, dataset, range(STEPS), order))


def trained(engine: PlainEngine, results: list[dict[str, Any]]) -> Trained:
    tensors = [
        {name: values.view(engine.shapes.get(name, [-1])) for name, (_, values) in slices.items()}
        for slices in (engine.weights(), engine.moments())
    ]
    return Trained([r["loss"] for r in results], [r["norm"] for r in results], *tensors)


def drift(a: list[float], b: list[float]) -> float:
    """Largest relative difference."""
    return max(abs(x - y) / abs(x) for x, y in zip(a, b, strict=True))


def distance(a: dict[str, Tensor], b: dict[str, Tensor]) -> float:
    """|a - b| / |a| of all tensors together."""
    assert a.keys() == b.keys()
    first, second = (torch.cat([tensors[name].flatten().double() for name in a]) for tensors in (a, b))
    return float((first - second).norm() / first.norm())


@pytest.fixture(scope="module")
def plain(dataset: Path) -> Trained:
    return train_plainly(dataset)


@pytest.fixture(scope="module")
def tolerance(dataset: Path) -> tuple[float, float]:
    """Drift of losses and distance of weights that mere rounding gives: the order of micro-batches, three seeds."""
    pairs = [[train_plainly(dataset, order, seed) for order in (1, -1)] for seed in range(3)]
    drifts = [drift(a.losses, b.losses) for a, b in pairs]
    return 3 * max(drifts), 3 * max(distance(a.weights, b.weights) for a, b in pairs)


def read(folder: Path) -> list[dict[str, Any]]:
    return [json.loads((folder / f"rank-{rank}.json").read_text()) for rank in range(WORLD)]


def test_it_was_real(ranks: Path, dataset: Path) -> None:
    first, second = read(ranks)
    assert first["pid"] != second["pid"]
    assert first["engine"] == "DeepSpeedEngine"
    assert first["stage"] == second["stage"] == int(ranks.name[5])
    assert first["optimizer"] == second["optimizer"] == OPTIMIZERS[first["stage"]]
    config = run_config(dataset, dataset)
    gradient = 4 * sum(p.numel() for p in build_model(config).parameters())
    assert min(first["reduced"], second["reduced"]) > STEPS * gradient / WORLD
    assert not (ranks / "extensions").exists(), "an extension was built"


def test_ranks_agree_and_losses_are_the_plain_engines(
    ranks: Path, plain: Trained, tolerance: tuple[float, float]
) -> None:
    first, second = read(ranks)
    assert first["results"] == second["results"]
    losses = [result["loss"] for result in first["results"]]
    assert drift(plain.losses[:5], losses[:5]) <= 1e-5
    assert drift(plain.losses, losses) <= tolerance[0]


def test_weights_and_moments_are_the_plain_engines(ranks: Path, plain: Trained, tolerance: tuple[float, float]) -> None:
    saved = checkpoint.load(ranks / "checkpoints" / checkpoint.folder_name(STEPS - 1))
    assert distance(plain.weights, saved.weights) <= tolerance[1]
    flat = {name: values.flatten() for name, values in saved.moments.items()}
    assert distance(plain.moments, flat) <= 3e-4
    assert len(list(saved.path.glob("optimizer-*"))) == WORLD


def test_a_nan_on_one_rank_skips_the_step_on_all(ranks: Path) -> None:
    for seen in read(ranks):
        assert [r["updated"] for r in seen["results"]] == [position != BAD for position in range(STEPS)]
        assert seen["skipped"] == 0, "DeepSpeed skipped a step by itself"


def test_bf16_is_really_used(ranks: Path) -> None:
    first, second = read(ranks)
    assert first["bf16"] == second["bf16"] == ("torch.bfloat16" if first["stage"] == 1 else None)


def test_validation_is_shared_out_and_the_same(ranks: Path, dataset: Path) -> None:
    saved = checkpoint.load(ranks / "checkpoints" / checkpoint.folder_name(STEPS - 1))
    config = run_config(dataset, dataset)
    engine = PlainEngine(build_model(config), config.train)
    engine.restore(saved.weights, saved.moments, saved.state.step)
    for seen in read(ranks):
        assert seen["validation"] == pytest.approx(validated(engine, dataset), rel=1e-5)


def test_measuring_each_losss_gradient_changes_no_bit(ranks: Path, dataset: Path) -> None:
    config = run_config(dataset, dataset)
    _, alone = probing.steps(PlainEngine(build_model(config), config.train), dataset, probing=True)
    for seen in read(ranks):
        (never, nothing), (beside, measured) = seen["probed"]
        assert never == beside
        assert (nothing, len(measured)) == ([], 2)
        for ours, theirs in zip(alone, measured, strict=True):
            assert theirs == pytest.approx(ours, rel=1e-5)


def test_a_checkpoint_goes_on_at_the_next_stage_and_in_one_process(ranks: Path, dataset: Path) -> None:
    saved = checkpoint.load(ranks / "checkpoints" / checkpoint.folder_name(STEPS - 1))
    config = run_config(dataset, dataset)
    engine = PlainEngine(build_model(config), config.train)
    engine.restore(saved.weights, saved.moments, saved.state.step)
    alone = trained(engine, steps(engine, dataset, range(STEPS, STEPS + MORE)))
    losses = [result["loss"] for result in read(ranks)[0]["resumed"]]
    assert drift(alone.losses, losses) <= 1e-5
    again = checkpoint.load(ranks / "checkpoints" / checkpoint.folder_name(STEPS - 1 + MORE))
    assert distance(alone.weights, again.weights) <= 1e-5
