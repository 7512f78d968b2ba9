"""How hard a step worked: pairs and FLOPs counted, the devices' peak found, memory of the rank that holds most."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor

from hrm_ray.model.batch import Document, collate
from hrm_ray.model.hrm import HRM
from hrm_ray.train import loop, memory, throughput
from hrm_ray.train.engine import PlainEngine
from hrm_ray.train.feed import open_feed
from hrm_ray.train.run import build_model
from hrm_ray.train.throughput import Throughput, device_peak, matmul_peak, step_flops, visible_pairs
from tests.train.conftest import Silent, run_config
from tests.train.test_loop import lines


def test_pairs_are_those_of_the_mask() -> None:
    batch = collate([Document([1] * 3, [1] * 2, [1]), Document([1] * 2, [], [1] * 2)])
    seen = 0
    for span in batch.spans:
        for query in range(span.start, span.stop):
            both_ways = span.prefix_stop if query < span.prefix_stop else query + 1
            seen += both_ways - span.start
    assert visible_pairs(batch) == seen == 9 + 4 + 5 + 6 + 4 + 3 + 4


def test_flops_rise_with_the_depth_in_force(dataset: Path) -> None:
    config = run_config(dataset, dataset)
    model, batches = build_model(config), open_feed(config).micro_batches(0)
    shallow, deep = (step_flops(model, batches, depth) for depth in (3, 5))
    head = 6 * model.embedding.num_embeddings * 32 * sum(len(batch.targets) for batch in batches)
    assert (deep - head) / (shallow - head) == pytest.approx((8 + 2 * 5) / (8 + 2 * 3))


def test_flops_are_those_that_pytorch_counts() -> None:
    from torch.utils.flop_counter import FlopCounterMode

    from tests.model.conftest import VOCABULARY, small_config

    model = HRM(small_config(mode="plain"), VOCABULARY)
    batch = collate([Document([1] * 90, [1] * 10, [1] * 10)])
    with FlopCounterMode(display=False) as counter:
        model(batch, depth=1).nll.sum().backward()
    linear = sum(count for name, count in counter.get_flop_counts()["Global"].items() if "mm" in str(name))
    attention = 3 * model.config.layers * 4 * model.config.hidden * visible_pairs(batch)
    assert linear == pytest.approx(step_flops(model, [batch], depth=1) - attention, rel=0.03)


@pytest.mark.parametrize(
    ("name", "peak"),
    [
        ("NVIDIA H100 80GB HBM3", 989e12),
        ("NVIDIA H100 PCIe", 756e12),
        ("NVIDIA A100-SXM4-80GB", 312e12),
        ("NVIDIA A10", 125e12),
        ("NVIDIA A10G", None),
        ("NVIDIA L40S", 362e12),
        ("NVIDIA H200", 989e12),
        ("NVIDIA H200 NVL", None),
        ("NVIDIA H100 80GB HBM3 MIG 1g.10gb", None),
    ],
)
def test_gpus_are_known_by_their_names(name: str, peak: float | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: name)
    known, source = device_peak(torch.device("cuda"))
    assert known == peak if peak else known != known
    assert name in source
    assert ("not in our table" in source) == (peak is None)


def test_a_cpu_is_timed_without_a_random_number(monkeypatch: pytest.MonkeyPatch) -> None:
    before = torch.get_rng_state()
    assert 1e8 < matmul_peak() < 1e14
    assert torch.equal(torch.get_rng_state(), before)
    monkeypatch.setattr(throughput, "matmul_peak", lambda: 5e9)
    assert device_peak(torch.device("cpu"))[0] == 5e9


class Two(PlainEngine):
    """One of two ranks; the other did and held as much as `other` says."""

    rank, world, other = 1, 2, 7.0

    def sum(self, values: Tensor) -> Tensor:
        return values + torch.tensor([[self.other] * values.shape[-1], [0.0] * values.shape[-1]], dtype=values.dtype)


def test_ranks_are_added_up_and_the_fullest_named(dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = run_config(dataset, dataset)
    engine, batches = Two(build_model(config), config.train), open_feed(config).micro_batches(0)
    monkeypatch.setattr(memory, "host", lambda: (5, 9))
    measured = Throughput(peak=1e9, source="").measure(engine, batches, depth=3, seconds=2.0)
    assert measured["flops"] == step_flops(engine.model, batches, 3) + 7
    assert measured["mfu"] == pytest.approx(measured["flops"] / 2e9)
    assert (measured["host_memory"], measured["host_memory_peak"], measured["device_memory_peak"]) == (7, 9, None)
    assert Throughput(None, "").measure(engine, batches, depth=3, seconds=2.0)["mfu"] is None


def test_a_run_says_what_it_used_of_its_devices(dataset: Path, tmp_path: Path) -> None:
    config = run_config(dataset, tmp_path, max_steps=2)
    loop.train(config, "main", Silent())
    record = json.loads((config.run_dir / "run.json").read_text())
    assert record["peak_flops"] > 1e8
    assert "timed at start, 1 CPU thread(s)" in record["peak_flops_source"]
    for line in lines(config, "train"):
        assert line["mfu"] == pytest.approx(line["flops"] / line["seconds"] / record["peak_flops"])
        assert 0 < line["host_memory"] <= line["host_memory_peak"]
    loop.train(config, "main", Silent())
    assert json.loads((config.run_dir / "run.json").read_text())["name"] == "run"
