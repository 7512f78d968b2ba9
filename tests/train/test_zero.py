"""DeepSpeed ZeRO in two real processes against the plain engine, which is what "exact" is measured by (design.md)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor

from hrm_ray.config import Config
from hrm_ray.model.hrm import HRM
from hrm_ray.train import checkpoint, validate
from hrm_ray.train.checkpoint import Loaded
from hrm_ray.train.engine import PlainEngine
from hrm_ray.train.feed import open_feed
from hrm_ray.train.run import build_model
from hrm_ray.train.validation import Validation
from tests.conftest import ROOT
from tests.train import probing, whole
from tests.train.conftest import VOCABULARY, run_config
from tests.train.rank import BAD, MORE, STAGES, VARIANTS, steps, validated
from tests.train.test_loop import final, lines

WORLD = 2
OPTIMIZERS = dict(enumerate(["AdamW", *["DeepSpeedZeroOptimizer"] * 2, "DeepSpeedZeroOptimizer_Stage3"]))


class Trained(NamedTuple):
    """What a run ended with."""

    losses: list[float]
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
        codes = [process.wait(timeout=240) for process in processes]
    finally:
        for process, log in zip(processes, logs, strict=True):
            process.kill()
            log.close()
    assert not (folder / "extensions").exists(), "something was compiled: a stale lock there would stop all ranks"
    assert codes == [0, 0], (folder / "log-0").read_text()[-3000:] + (folder / "log-1").read_text()[-3000:]
    return folder


def config_of(dataset: Path, name: str) -> Config:
    return run_config(dataset, dataset, **VARIANTS[name].settings | {"offload_optimizer": False})


@cache
def train_plainly(dataset: Path, name: str, order: int = 1, seed: int = 0) -> Trained:
    """Train at every position but the bad ones, which this run never sees."""
    config = config_of(dataset, name)
    torch.manual_seed(seed)
    engine = PlainEngine(HRM(config.model, VOCABULARY), config.train)
    sound = [position for position in range(VARIANTS[name].steps) if position not in BAD]
    return trained(engine, steps(engine, dataset, VARIANTS[name], sound, order))


def trained(engine: PlainEngine, results: list[dict[str, Any]]) -> Trained:
    weights, moments = (
        {name: values.clone() for name, (_, values) in slices.items()}
        for slices in (engine.weights(), engine.moments())
    )
    return Trained([r["loss"] for r in results if r["updated"]], weights, moments)


def drift(a: list[float], b: list[float]) -> float:
    """Largest relative difference."""
    return max(abs(x - y) / abs(x) for x, y in zip(a, b, strict=True))


def distance(a: dict[str, Tensor], b: dict[str, Tensor]) -> float:
    """|a - b| / |a| of all tensors together."""
    assert a.keys() == b.keys()
    first, second = (torch.cat([tensors[name].flatten().double() for name in a]) for tensors in (a, b))
    return float((first - second).norm() / first.norm())


@cache
def tolerance(dataset: Path, name: str) -> tuple[float, float, float]:
    """Drift of losses and distances of weights and moments that mere rounding gives: the order of micro-batches, three
    seeds of the long variant and of Muon, which rounds to bf16, one of the others; a loss may always be off by one unit
    in its last place, weights by as much in each update, of either sign, and moments, which are of gradients at these
    weights, by as much as the weights: two orders of so few sums may happen to round alike, as they did on one CPU."""
    seeds = range(3 if name in ("main", "muon") else 1)
    pairs = [[train_plainly(dataset, name, order, seed) for order in (1, -1)] for seed in seeds]
    unit, updates = torch.finfo(torch.float32).eps, len(pairs[0][0].losses)
    last_place = unit * updates**0.5
    return (
        max(unit, 3 * max(drift(a.losses, b.losses) for a, b in pairs)),
        max(last_place, 3 * max(distance(a.weights, b.weights) for a, b in pairs)),
        max(last_place, 3 * max(distance(a.moments, b.moments) for a, b in pairs)),
    )


def read(folder: Path) -> list[dict[str, Any]]:
    return [json.loads((folder / f"rank-{rank}.json").read_text()) for rank in range(WORLD)]


def of_variant(folder: Path, name: str) -> list[dict[str, Any]]:
    """What each rank saw of a variant that runs at this stage."""
    if name not in (seen := read(folder))[0]:
        pytest.skip(f"{name} does not run at this stage")
    return [one[name] for one in seen]


def saved(folder: Path, name: str, more: int = 0) -> Loaded:
    made = VARIANTS[name].steps - len(BAD) + more
    return checkpoint.load(folder / name / checkpoint.folder_name(made))


def present(found: dict[str, Any]) -> dict[str, Any]:
    """Return what was measured: pytest.approx compares no None."""
    return {name: value for name, value in found.items() if value is not None}


def restored(folder: Path, dataset: Path, name: str) -> PlainEngine:
    """A plain engine that goes on where the ranks saved."""
    loaded, config = saved(folder, name), config_of(dataset, name)
    engine = PlainEngine(build_model(config), config.train)
    engine.restore(loaded.weights, loaded.moments, loaded.state.step)
    return engine


def test_it_was_real(ranks: Path, dataset: Path) -> None:
    pids = {seen["pid"] for seen in read(ranks)}
    assert len(pids) == WORLD
    gradient = 4 * sum(p.numel() for p in build_model(run_config(dataset, dataset)).parameters())
    for seen in of_variant(ranks, "main"):
        assert seen["engine"] == "DeepSpeedEngine"
        assert seen["stage"] == int(ranks.name[5])
        assert seen["optimizer"] == OPTIMIZERS[seen["stage"]]
        assert seen["reduced"] > VARIANTS["main"].steps * gradient / WORLD
    assert not (ranks / "extensions").exists(), "an extension was built"


@pytest.mark.parametrize("name", VARIANTS)
def test_ranks_agree_and_losses_are_the_plain_engines(ranks: Path, dataset: Path, name: str) -> None:
    first, second = ([r | {"spoilt": 0} for r in seen["results"]] for seen in of_variant(ranks, name))
    assert first == second
    plain = train_plainly(dataset, name)
    losses = [result["loss"] for result in first if result["updated"]]
    assert drift(plain.losses[:5], losses[:5]) <= 1e-5
    assert drift(plain.losses, losses) <= tolerance(dataset, name)[0]


@pytest.mark.parametrize("name", VARIANTS)
def test_weights_and_moments_are_the_plain_engines(ranks: Path, dataset: Path, name: str) -> None:
    of_variant(ranks, name)
    plain, loaded = train_plainly(dataset, name), saved(ranks, name)
    _, weights, moments = tolerance(dataset, name)
    assert distance(plain.weights, loaded.weights) <= weights
    assert distance(plain.moments, loaded.moments) <= moments
    assert len(list(loaded.path.glob("optimizer-*"))) == WORLD


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.fault
def test_what_is_not_finite_on_one_rank_skips_the_step_on_all(ranks: Path, name: str) -> None:
    for rank, seen in enumerate(of_variant(ranks, name)):
        assert [r["updated"] for r in seen["results"]] == [at not in BAD for at in range(VARIANTS[name].steps)]
        for position, (kind, _) in BAD.items():
            result = seen["results"][position]
            assert result["unchanged"], "weights or moments are others"
            assert (isfinite(result["loss"]), isfinite(result["norm"])) == (kind != "loss", kind == "loss")
            own = kind == "backward" and rank == WORLD - 1
            assert (result["spoilt"] > 0) == own, "what this rank gave to be reduced"
        assert seen["skipped"] == 0, "DeepSpeed skipped a step by itself"


def test_bf16_is_really_used(ranks: Path) -> None:
    for seen in read(ranks):
        assert seen["bf16"] == ("torch.bfloat16" if ranks.name[5] == "1" else None)


@pytest.mark.parametrize("name", VARIANTS)
def test_validation_is_shared_out_and_the_same(ranks: Path, dataset: Path, name: str) -> None:
    found, engine = of_variant(ranks, name), restored(ranks, dataset, name)
    expected = validated(engine, dataset, VARIANTS[name])
    for seen in found:
        assert present(seen["validation"]) == pytest.approx(present(expected), rel=1e-5)
        assert seen["untouched"], "validation has changed weights or moments"
    if "ema" in VARIANTS[name].settings:
        engine.restore(saved(ranks, name).weights, {}, 0)
        engine.optimizer.state.clear()
        raw = validated(engine, dataset, VARIANTS[name])
        assert raw != pytest.approx(expected, rel=1e-5), "it was not of the average"


def test_ranks_have_unlike_amounts_of_work_and_none_hangs(dataset: Path) -> None:
    """What the variant `uneven` is about; that it ends is tested above."""
    config = config_of(dataset, "uneven")
    batches = [open_feed(config, rank, WORLD).micro_batches(0) for rank in range(WORLD)]
    assert [[len(batch.ids) > 0 for batch in some] for some in batches] == [[True] * 3, [True, True, False]]
    assert [sum(len(batch.decisions) for batch in some) > 0 for some in batches] == [True, False]
    validation = Validation(config)
    assert [len(validation.writing.prefixes[rank::WORLD]) for rank in range(WORLD)] == [2, 1]
    assert len(validate._chunks(validation.solve, validation.tokens)) % WORLD == 1


@pytest.mark.parametrize("name", VARIANTS)
def test_a_checkpoint_goes_on_at_the_next_stage_and_in_one_process(ranks: Path, dataset: Path, name: str) -> None:
    first, _ = of_variant(ranks, name)
    engine, count = restored(ranks, dataset, name), VARIANTS[name].steps
    alone = trained(engine, steps(engine, dataset, VARIANTS[name], range(count, count + MORE)))
    assert drift(alone.losses, [result["loss"] for result in first["resumed"]]) <= 1e-5
    again = saved(ranks, name, more=MORE)
    assert distance(alone.weights, again.weights) <= max(1e-5, tolerance(dataset, name)[1])
    assert distance(alone.moments, again.moments) <= 3e-4


def test_measuring_each_losss_gradient_changes_no_bit(ranks: Path, dataset: Path) -> None:
    config = run_config(dataset, dataset)
    _, alone = probing.steps(PlainEngine(build_model(config), config.train), dataset, probing=True)
    for seen in read(ranks):
        (never, nothing), (beside, measured) = seen["probed"]
        assert never == beside
        assert (nothing, len(measured)) == ([], 2)
        for ours, theirs in zip(alone, measured, strict=True):
            assert present(theirs) == pytest.approx(present(ours), rel=1e-5)


def plain_engine(config: Config) -> PlainEngine:
    return PlainEngine(build_model(config), config.train)


@pytest.mark.fault
def test_ranks_that_diverge_stop_together_and_name_the_examples(ranks: Path, dataset: Path) -> None:
    config = whole.diverging(dataset, ranks / "diverged")
    said = f"{config.run_dir}: 4 batches in a row were not finite after step {whole.SOUND}; metrics.jsonl names their"
    assert [seen["diverged"].startswith(said) for seen in read(ranks)] == [True, True]
    feed, bad = open_feed(config), lines(config, "bad_step")
    assert [line["step"] for line in bad] == [whole.SOUND + 1] * 4
    assert [line["examples"] for line in bad] == [feed.example_ids(whole.SOUND + number) for number in range(4)]
    assert checkpoint.steps(config.run_dir / "checkpoints") == [2]


def test_an_extended_run_is_the_plain_engines_that_was_always_as_long(
    ranks: Path, dataset: Path, tmp_path: Path
) -> None:
    [_, plain], [_, extended] = (whole.horizons(dataset, runs) for runs in (tmp_path, ranks / "extended"))
    whole.extend([plain], plain_engine)
    sentence, resumed = read(ranks)[0]["extended"]
    assert "its horizon of 10 steps is raised to 14; it goes back to step 6" in sentence
    assert resumed == f"resuming {extended.run_dir} after step 6"
    ours, theirs = lines(extended, "train"), lines(plain, "train")
    assert [line["learning_rate"] for line in ours] == [line["learning_rate"] for line in theirs]
    assert drift([line["loss"] for line in theirs], [line["loss"] for line in ours]) <= 1e-5
    assert distance(final(plain).weights, final(extended).weights) <= 1e-5
    assert distance(final(plain).moments, final(extended).moments) <= 1e-5
