"""Folders of weights to begin with, a dataset prepared for one, and `python -m tests.train.begun RANK CONFIG FOLDER`:
one of two ranks that begins a run at every ZeRO stage and leaves in FOLDER what it then has and loses."""

from __future__ import annotations

import json
import os
import shutil
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import tokenizers
import torch
import torch.distributed as dist

from hrm_ray import settings
from hrm_ray.config import Config
from hrm_ray.model import hf_folder
from hrm_ray.model.hrm import HRM
from hrm_ray.prepare.adopted import adopt
from hrm_ray.prepare.tokenizer import Tokenizer
from hrm_ray.settings import parse
from hrm_ray.train import checkpoint
from hrm_ray.train.checkpoint import State
from hrm_ray.train.engine import Engine
from hrm_ray.train.feed import micro_batches, open_feed
from hrm_ray.train.initial import begin
from hrm_ray.train.run import build_model
from hrm_ray.train.step import train_step
from tests.prepare.conftest import TEXTS
from tests.train.conftest import run_config

WORLD = 2
FIRST = State(step=0, position=0, bad_steps=0)
PADDING = 5
"""Rows of a published table that no token has."""


def foreign(folder: Path, tokenizer: tokenizers.Tokenizer, **changes: Any) -> Path:
    """What `transformers` saves of a network with random weights, and a tokenizer."""
    import transformers

    torch.manual_seed(5)
    size = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 1, "num_attention_heads": 2}
    rows = tokenizer.get_vocab_size() + PADDING
    config = transformers.HrmTextConfig(**{**size, "head_dim": 16, "vocab_size": rows, **changes})
    model = transformers.HrmTextForCausalLM(config)
    torch.nn.init.normal_(model.model.z_L_init)
    model.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def exported(folder: Path, config: Config) -> tuple[Path, HRM]:
    """An export of a network with random weights, head and all, and the network."""
    tokenizer = Tokenizer.train(TEXTS, 450)
    torch.manual_seed(6)
    model = HRM(config.model, tokenizer.vocab_size)
    folder.mkdir()
    hf_folder.write(folder, model, tokenizer, window=128, form="whole")
    hf_folder.seal(folder)
    return folder, model


def prepared_for(source: Path, dataset: Path, to: Path) -> Path:
    """A copy of the dataset of random tokens that says to have the tokenizer of `source`."""
    shutil.copytree(dataset, to)
    facts, tokenizer = json.loads((to / "dataset.json").read_text()), adopt(source)
    facts["tokenizer"] = {"vocab_size": tokenizer.vocab_size, "sha256": tokenizer.sha256}
    (to / "dataset.json").write_text(json.dumps(facts))
    return to


def begun(dataset: Path, runs: Path, source: Path, model: dict[str, Any], **train: Any) -> Config:
    """The settings of a run that begins with `source`."""
    tree = run_config(dataset, runs, **train).model_dump(mode="json")
    return parse(tree | {"model": tree["model"] | {"init_from": str(source)} | model}, "test")


def losses(config: Config, engine: Engine, steps: int = 3) -> list[float | None]:
    """Begin, and train a few steps."""
    begin(config, engine, FIRST)
    feed = open_feed(config, engine.rank, engine.world)
    return [train_step(engine, feed.micro_batches(at), config.train, 1e-3, 5).loss for at in range(steps)]


def main() -> None:
    rank, path, folder = int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
    os.environ |= {"LOCAL_RANK": str(rank), "RANK": str(rank), "WORLD_SIZE": str(WORLD)}
    meeting = f"file://{folder / 'meeting'}"
    dist.init_process_group("gloo", init_method=meeting, rank=rank, world_size=WORLD, timeout=timedelta(seconds=90))
    from hrm_ray.train.zero import ZeroEngine

    seen = {}
    for stage in range(4):
        config = settings.load(path, [f"train.workers={WORLD}", f"train.zero_stage={stage}"])
        engine = ZeroEngine(build_model(config), config.train, micro_batches(config.train, WORLD))
        begin(config, engine, FIRST)
        checkpoint.save(folder / str(stage), FIRST, engine)
        seen[stage] = losses(config, engine)
    (folder / f"rank-{rank}.json").write_text(json.dumps(seen))
    dist.barrier()
    sys.stdout.flush()
    os._exit(0)  # as in tests/train/rank.py


if __name__ == "__main__":
    main()
