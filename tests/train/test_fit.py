"""Running out of memory is one sentence with what to do, shown by an allocation that really fails."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from functools import partial
from pathlib import Path
from typing import NoReturn

import pytest
import torch

from hrm_ray import settings
from hrm_ray.config import Ema, Train
from hrm_ray.errors import UserError
from hrm_ray.train import loop
from hrm_ray.train.cost import measure
from hrm_ray.train.feed import open_feed
from hrm_ray.train.fit import LAST, advice, changes, is_out_of_memory, memory_explained, of_step, state_bytes
from tests.conftest import ROOT
from tests.train.conftest import VOCABULARY, Silent, run_config

LIMITED = textwrap.dedent("""
    import resource, sys
    from pathlib import Path
    from hrm_ray import cli
    from hrm_ray.train import loop

    class Limited(loop.PlainEngine):
        def __init__(self, *given):
            super().__init__(*given)
            pages = int(Path("/proc/self/statm").read_text().split()[0])
            limit = pages * resource.getpagesize() + (64 << 20)
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

    loop.PlainEngine = Limited
    cli.main()
""")


def test_an_allocation_that_fails_is_one_sentence(dataset: Path, tmp_path: Path) -> None:
    config = run_config(dataset, tmp_path, rows=8, micro_rows=4)
    wide = config.model.model_copy(update={"hidden": 512, "intermediate": 8192})
    file = tmp_path / "run.yaml"
    file.write_text(settings.dump(config.model_copy(update={"model": wide})))
    command = [sys.executable, "-c", LIMITED, "train", str(file)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 2, done.stderr[-2000:]
    batches = open_feed(config).micro_batches(0)
    longest = max(span.stop - span.start for batch in batches for span in batch.spans)
    says = done.stderr.splitlines()[-1]
    assert says.startswith("error: out of memory on cpu in a step of micro-batches of 4 rows, ")
    assert f"{max(len(batch.ids) for batch in batches):,} tokens at most, the longest document {longest};" in says
    assert says.endswith(" MiB; next to try: --set train.micro_rows=2")


def test_other_faults_are_left_alone(dataset: Path) -> None:
    train = run_config(dataset, dataset).train
    with pytest.raises(RuntimeError, match="shapes"), memory_explained(train, torch.device("cpu"), lambda: "a test"):
        raise RuntimeError("shapes do not agree")
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory"))
    assert is_out_of_memory(MemoryError())
    assert not is_out_of_memory(RuntimeError("NCCL timeout"))


def no_memory(*_: object, **__: object) -> NoReturn:
    raise MemoryError


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ("hrm_ray.train.loop.build_model", rf"in the making of the model; .*next to try: {LAST}"),
        (
            "hrm_ray.train.validation.solve_losses",
            r"in validation of documents of 256 tokens at a time.*micro_rows=1",
        ),
        ("hrm_ray.train.loop.train_step", r"in a step of micro-batches of 2 rows, .*micro_rows=1"),
    ],
)
def test_it_is_explained_wherever_it_happens(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, says: str
) -> None:
    monkeypatch.setattr(where, no_memory)
    with pytest.raises(UserError, match=f"out of memory on cpu {says}$"):
        loop.train(run_config(dataset, tmp_path, max_steps=1), "main", Silent())


def test_what_does_not_fit_a_row_at_a_time_is_measured_as_such(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hrm_ray.train.cost.train_step", no_memory)
    with pytest.raises(UserError, match=f"in a step of one row at a time; .*next to try: {LAST}$"):
        measure(run_config(dataset, tmp_path), VOCABULARY)


@pytest.mark.parametrize(
    ("kind", "workers", "stage"),
    [("adamw", 0, 1), ("adamw", 1, 1), ("adamw", 4, 0), ("adam_atan2", 4, 3), ("muon", 0, 0), ("muon", 2, 0)],
)
@pytest.mark.parametrize("compiled", [False, True])
def test_every_change_is_one_that_the_settings_take(kind: str, workers: int, stage: int, compiled: bool) -> None:
    given: dict[str, object] = {"workers": workers, "zero_stage": stage, "optimizer": {"kind": kind}}
    given |= {"rows": 8, "micro_rows": 4, "compile": compiled and stage < 3}
    for change in changes(Train.model_validate(given), "cuda"):
        Train.model_validate(given | change)


@pytest.mark.parametrize(
    ("settings", "device", "advised"),
    [
        ({"workers": 4, "zero_stage": 3}, "cuda", "--set train.offload_optimizer=true"),
        ({"workers": 1}, "cuda", "--set train.offload_optimizer=true"),
        ({"workers": 2, "zero_stage": 0}, "cuda", "--set train.zero_stage=1 --set train.offload_optimizer=true"),
        ({"workers": 4, "zero_stage": 3}, "cpu", LAST),
        ({"workers": 4, "zero_stage": 3, "offload_optimizer": True}, "cuda", LAST),
        ({"workers": 1, "zero_stage": 0}, "cuda", LAST),
        ({}, "cuda", LAST),
    ],
)
def test_offload_is_advised_where_no_stage_will_do(settings: dict[str, object], device: str, advised: str) -> None:
    train = Train.model_validate({"micro_rows": 1} | settings)
    stages = [train.model_copy(update={"zero_stage": stage, "offload_optimizer": False}) for stage in range(4)]
    least = min(state_bytes(one, device) for one in (train, *stages))
    assert advice(train, device, lambda changed: state_bytes(changed, device) < least) == advised


def test_an_empty_batch_has_no_longest_document(dataset: Path) -> None:
    config = run_config(dataset, dataset, micro_rows=1, workers=2, zero_stage=2)
    batches = open_feed(config, rank=6, world=7).micro_batches(0)
    with (
        pytest.raises(UserError, match=r"the longest document 0; .*next to try: --set train\.zero_stage=3"),
        memory_explained(config.train, torch.device("cpu"), partial(of_step, config.train, batches)),
    ):
        raise MemoryError


def test_stages_share_out_what_they_say() -> None:
    assert state_bytes(Train(), "cpu") == state_bytes(Train(workers=8, zero_stage=0), "cpu") == 16
    shares = [state_bytes(Train.model_validate({"workers": 4, "zero_stage": stage}), "cpu") for stage in range(4)]
    assert shares == sorted(shares, reverse=True)
    assert shares[3] == pytest.approx(24 / 4)


def test_the_average_is_one_moment_more_and_offload_leaves_the_gpu() -> None:
    averaged, offloaded = Train(workers=4, ema=Ema()), Train(workers=4, offload_optimizer=True)
    assert state_bytes(averaged, "cuda") == state_bytes(Train(workers=4), "cuda") + 4 / 4
    assert state_bytes(offloaded, "cuda") == 8
    assert state_bytes(offloaded, "cpu") == state_bytes(Train(workers=4), "cpu")
