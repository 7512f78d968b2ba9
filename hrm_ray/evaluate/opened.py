"""A run's checkpoint and its held-out documents, opened for evaluation."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from hrm_ray import run_records
from hrm_ray.config import Config
from hrm_ray.errors import UserError, explained
from hrm_ray.prepare.tokenizer import Tokenizer
from hrm_ray.progress import console
from hrm_ray.train import checkpoint, threads
from hrm_ray.train.corpus import JudgeDocuments, SolveDocuments, read_dataset
from hrm_ray.train.engine import PlainEngine
from hrm_ray.train.moments import averaged_weights
from hrm_ray.train.run import build_model


@dataclass(frozen=True)
class Network:
    """The best checkpoint of a run, ready to be used."""

    run_dir: Path
    config: Config
    engine: PlainEngine
    step: int
    tokenizer: Tokenizer


@dataclass(frozen=True)
class Opened(Network):
    """What every measurement needs; `tokens` is how many are run at once."""

    solve: SolveDocuments
    judge: JudgeDocuments
    tokens: int


def open_run(run_dir: Path, config: Config) -> Opened:
    """Open a run's network, and the split of its dataset that `config.evaluate` names.

    Raises:
        UserError: the folder is no run, or has no complete checkpoint.
    """
    split = config.evaluate.split
    return Opened(
        **vars(open_network(run_dir, config)),
        solve=SolveDocuments(config.data, split),
        judge=JudgeDocuments(config.data, split),
        tokens=config.train.micro_rows * config.prepare.window,
    )


def open_network(run_dir: Path, config: Config) -> Network:
    """Open the best checkpoint of a run, with its averaged weights where it has them, and its tokenizer.

    Raises:
        UserError: the folder is no run, or has no complete checkpoint.
    """
    dataset = read_dataset(config)
    if run_records.read(run_dir)["dataset_hash"] != dataset["hash"]:
        raise UserError(f"{config.data}: is not the dataset that {run_dir} was trained on; its folds may be others")
    loaded = checkpoint.best(run_dir / "checkpoints", console.print)
    if loaded is None:
        raise UserError(f"{run_dir}: has no checkpoint yet, or none that is whole; `hrm-ray train CONFIG` writes one")
    if known := threads.recorded(config):
        torch.set_num_threads(min(known, threads.MOST))
    # Not compiled: what a long training gains by it a short look does not, and this machine may have no compiler.
    engine = PlainEngine(build_model(config), config.train.model_copy(update={"compile": False}))
    engine.restore(averaged_weights(loaded.weights, loaded.moments), {}, loaded.state.step)
    tokenizer = Tokenizer.load(config.data / "tokenizer.json")
    if tokenizer.sha256 != dataset["tokenizer"]["sha256"]:
        raise UserError(f"{config.data / 'tokenizer.json'}: is not the tokenizer that the dataset was prepared with")
    return Network(run_dir, config, engine, loaded.state.step, tokenizer)


def count_test_read(opened: Opened) -> int:
    """Note in the dataset that its test fold is being read, and return how often it now was."""
    path = opened.config.data / "test_reads.jsonl"
    with explained(path), path.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps({"run": str(opened.run_dir), "step": opened.step, "time": int(time.time())}) + "\n")
    return len(path.read_text("utf-8").splitlines())
