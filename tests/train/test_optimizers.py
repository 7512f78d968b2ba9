"""Each optimizer against its formula, resumed, and with an average of the weights."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from hrm_ray import settings
from hrm_ray.config import Config
from hrm_ray.settings import ConfigError
from hrm_ray.train import checkpoint, loop
from hrm_ray.train.adam_atan2 import AdamATan2
from hrm_ray.train.checkpoint import Loaded
from hrm_ray.train.engine import PlainEngine
from hrm_ray.train.feed import open_feed
from hrm_ray.train.moments import averaged_weights
from hrm_ray.train.optimizers import build_optimizer
from hrm_ray.train.run import build_model
from hrm_ray.train.step import train_step
from hrm_ray.train.validation import Validation
from tests.model.conftest import small_model
from tests.train.conftest import Silent, run_config

CHECKPOINTS = {"every": 4, "keep": 5}


def test_adam_atan2_is_its_formula() -> None:
    torch.manual_seed(0)
    weight, gradients = torch.randn(5), torch.randn(4, 5) * torch.tensor([1e-12, 1e-3, 1.0, 1e6, 0.0])
    parameter = nn.Parameter(weight.clone())
    optimizer = AdamATan2([{"params": [parameter], "weight_decay": 0.1, "lr": 0.01}], betas=(0.9, 0.95))
    mean = square = torch.zeros(5, dtype=torch.float64)
    expected = weight.double()
    for step, gradient in enumerate(gradients, 1):
        parameter.grad = gradient.clone()
        optimizer.step()
        mean = 0.9 * mean + 0.1 * gradient.double()
        square = 0.95 * square + 0.05 * gradient.double() ** 2
        angle = torch.atan2(mean / (1 - 0.9**step), torch.sqrt(square / (1 - 0.95**step)))
        expected = expected * (1 - 0.01 * 0.1) - 0.01 * 4 / math.pi * angle
    assert torch.allclose(parameter.double(), expected, rtol=1e-6, atol=1e-8)
    assert parameter[4].item() == pytest.approx(float(weight[4]) * 0.999**4), "without a gradient nothing but decay"


def test_adam_atan2_does_not_see_the_scale_of_the_loss() -> None:
    ends = []
    for scale in (1.0, 2.0**-40):
        parameter = nn.Parameter(torch.ones(3))
        optimizer = AdamATan2([{"params": [parameter]}], betas=(0.9, 0.95))
        for step in range(3):
            parameter.grad = torch.tensor([1.0, -2.0, 0.5]) * (step + 1) * scale
            optimizer.step()
        ends.append(parameter.detach().clone())
    assert torch.equal(*ends)


def test_muon_takes_the_matrices_of_the_stacks_and_adamw_the_rest(dataset: Path, tmp_path: Path) -> None:
    model = small_model(tied=False)
    optimizer = build_optimizer(model, run_config(dataset, tmp_path, optimizer={"kind": "muon"}).train.optimizer)
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    kept = {name: set(optimizer.state[parameter]) for name, parameter in model.named_parameters()}
    hidden = {name for name, held in kept.items() if held == {"momentum_buffer"}}
    assert {name for name in kept if name.startswith(("planner", "coder"))} == hidden
    rest = {name for name, held in kept.items() if held == {"step", "exp_avg", "exp_avg_sq"}}
    assert rest == {"embedding.weight", "head.weight", "refinement.feedback.weight", "refinement.decide.weight"}


@pytest.mark.parametrize("kind", ["adamw", "adam_atan2", "muon"])
def test_a_run_learns_and_goes_on_bit_for_bit(dataset: Path, tmp_path: Path, kind: str) -> None:
    config: dict[str, Config] = {
        name: run_config(
            dataset, tmp_path / name, max_steps=8, checkpoint=CHECKPOINTS, optimizer={"kind": kind}, ema={"decay": 0.5}
        )
        for name in ("whole", "stopped")
    }
    for one in config.values():
        loop.train(one, "main", Silent())
    last = config["stopped"].run_dir / "checkpoints" / checkpoint.folder_name(8)
    (last / "manifest.json").unlink()
    watcher = Silent()
    loop.train(config["stopped"], "main", watcher)
    assert watcher.sentences[-1].endswith("after step 4")
    ours, theirs = (newest(one) for one in config.values())
    assert ours.moments.keys() == theirs.moments.keys()
    for name in ours.moments:
        assert torch.equal(ours.moments[name], theirs.moments[name]), name
    assert all(torch.equal(ours.weights[name], theirs.weights[name]) for name in ours.weights)
    moment = "momentum_buffer" if kind == "muon" else "exp_avg_sq"
    assert f"{moment}.planner.blocks.0.mlp.down.weight" in ours.moments


def newest(config: Config) -> Loaded:
    loaded = checkpoint.newest(config.run_dir / "checkpoints", print)
    assert loaded is not None
    return loaded


def engine_with_average(dataset: Path, tmp_path: Path, decay: float = 0.5) -> tuple[Config, PlainEngine]:
    config = run_config(dataset, tmp_path, ema={"decay": decay})
    return config, PlainEngine(build_model(config), config.train)


def train(engine: PlainEngine, config: Config, positions: Iterable[int]) -> None:
    feed = open_feed(config)
    for position in positions:
        assert train_step(engine, feed.micro_batches(position), config.train, rate=1e-2, depth=5).updated


def flat(engine: PlainEngine) -> Tensor:
    return torch.cat([p.detach().flatten() for p in engine.model.parameters()])


def average(engine: PlainEngine) -> Tensor:
    return torch.cat([engine.moments()[f"ema.{name}"].values for name, _ in engine.model.named_parameters()])


def test_the_average_follows_the_weights(dataset: Path, tmp_path: Path) -> None:
    config, engine = engine_with_average(dataset, tmp_path, decay=0.3)
    expected = torch.zeros(0)
    for update in range(1, 5):
        train(engine, config, [update])
        decay = min(0.3, (1 + update) / (10 + update))
        expected = flat(engine) if update == 1 else decay * expected + (1 - decay) * flat(engine)
        assert torch.allclose(average(engine), expected, rtol=1e-6, atol=1e-8)
    assert (average(engine) - flat(engine)).norm() > 1e-3


def test_a_validation_is_of_the_average_and_leaves_the_weights_bit_for_bit(dataset: Path, tmp_path: Path) -> None:
    config, engine = engine_with_average(dataset, tmp_path)
    train(engine, config, range(3))
    weights, moments = flat(engine).clone(), average(engine).clone()
    measured = Validation(config).measure(engine)
    assert torch.equal(flat(engine), weights)
    assert torch.equal(average(engine), moments)
    other = PlainEngine(build_model(config), config.train)
    state = engine.model.state_dict()
    held = {name: part.values.view(engine.shapes[name.partition(".")[2]]) for name, part in engine.moments().items()}
    other.restore(averaged_weights(state, held), {}, 3)
    assert Validation(config).measure(other) == measured
    other.restore(state, {}, 3)
    assert Validation(config).measure(other) != measured


def test_without_an_average_nothing_is_kept(dataset: Path, tmp_path: Path) -> None:
    config = run_config(dataset, tmp_path)
    engine = PlainEngine(build_model(config), config.train)
    train(engine, config, range(2))
    assert not [name for name in engine.moments() if name.startswith("ema.")]


@pytest.mark.parametrize(
    ("train", "sentence"),
    [
        ("{workers: 2, zero_stage: 1, optimizer: {kind: muon}}", r"muon needs whole matrices and zero_stage 1 cuts"),
        ("{workers: 2, zero_stage: 0, offload_optimizer: true}", r"zero_stage is 0, which shares out no optimizer"),
        ("{workers: 0, offload_optimizer: true}", r"workers is 0: without DeepSpeed there is nothing"),
        ("{optimizer: {kind: sgd}}", r"train\.optimizer\.kind: .*adamw, adam_atan2, muon, found \"sgd\""),
        ("{ema: {decay: 1.0}}", r"train\.ema\.decay: .*below 1"),
    ],
)
def test_what_cannot_be_run_is_refused_with_the_reason(tmp_path: Path, train: str, sentence: str) -> None:
    file = tmp_path / "some.yaml"
    file.write_text(f"name: some\ndata: data\ntrain: {train}\n")
    with pytest.raises(ConfigError, match=sentence):
        settings.load(file)


@pytest.mark.parametrize("workers", [{"workers": 0}, {"workers": 2, "zero_stage": 0}])
def test_muon_runs_where_matrices_are_whole(dataset: Path, tmp_path: Path, workers: dict[str, int]) -> None:
    assert run_config(dataset, tmp_path, optimizer={"kind": "muon"}, **workers).train.optimizer.kind == "muon"
