"""What a run begins with where `model.init_from` names a folder of weights.

A tokenizer of ours leaves every row of the embedding where it was. Behind a foreign one our control tokens are new.
Their rows are drawn with the mean and the spread that each column has over the rows that are there: about that mean
new tokens hardly change what the others get of the softmax, and with the mean alone a model could not tell one marker
from another. Rows that no token of the tokenizer has, which pad a published table, are left behind.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from hrm_ray.config import Config
from hrm_ray.errors import UserError
from hrm_ray.model import hf, hf_folder
from hrm_ray.prepare import card
from hrm_ray.prepare.adopted import adopt, shift
from hrm_ray.train import checkpoint
from hrm_ray.train.checkpoint import State
from hrm_ray.train.corpus import read_dataset
from hrm_ray.train.engine import Engine
from hrm_ray.train.run import build_model

_TABLES = ("embedding.weight", "head.weight")
"""What has a row for every token."""


def begin(config: Config, engine: Engine, state: State) -> None:
    """Give `engine` the weights that `model.init_from` names, where the run is at its beginning.

    Raises:
        UserError: as `initial_weights`.
    """
    if config.model.init_from is not None and state.position == 0:
        engine.restore(initial_weights(config), {}, 0)


def check(config: Config) -> None:
    """Refuse a folder that a run which has no checkpoint yet could not begin with, its shape even before `prepare`.

    Raises:
        UserError: as `initial_weights`.
    """
    source = config.model.init_from
    if source is None or checkpoint.steps(config.run_dir / "checkpoints"):
        return
    if (config.data / card.CARD).exists():
        initial_weights(config)
    else:
        with _naming(source):
            _compare(config, hf.shape(hf_folder.read_config(source)))


def initial_weights(config: Config) -> dict[str, Tensor]:
    """Return the weights of the run at step 0, whole; a head that the folder has not is as in any run.

    Raises:
        UserError: the folder holds another network, or weights that are damaged, or the dataset was prepared with
            another tokenizer; with the reason and what to set.
    """
    source = config.model.init_from
    if source is None:
        raise ValueError("model.init_from is not set")
    fresh = build_model(config).state_dict()
    with _naming(source):
        fields = hf_folder.read_config(source)
        _compare(config, hf.shape(fields))
        _check_tokenizer(config, source)
        found = hf.from_file(config.model, hf_folder.read_weights(source))
        moved = shift(source)
        found |= {name: _resized(found[name], fresh[name], moved) for name in _TABLES if name in found}
        found |= hf_folder.read_refinement(source)
        _check_shapes(found, fresh)
    return fresh | found


@contextmanager
def _naming(source: Path) -> Iterator[None]:
    try:
        yield
    except UserError as error:
        raise UserError(f"model.init_from {source}: {error}") from error


def _compare(config: Config, found: dict[str, Any]) -> None:
    """Refuse a network of another shape, with the settings that would be of this one."""
    differing = {key: value for key, value in found.items() if getattr(config.model, key) != value}
    if differing:
        named = ", ".join(f"{key}: {json.dumps(value)}" for key, value in differing.items())
        raise UserError(f"holds another network than `model` describes; set there {named}")


def _check_tokenizer(config: Config, source: Path) -> None:
    if adopt(source).sha256 != read_dataset(config)["tokenizer"]["sha256"]:
        raise UserError(
            f"has another tokenizer than {config.data} was prepared with, whose ids would be other words; set "
            f"prepare.tokenizer_from: {source} and run `hrm-ray prepare CONFIG` again"
        )


def _resized(table: Tensor, fresh: Tensor, moved: int) -> Tensor:
    """[rows, hidden] of the folder -> [vocabulary, hidden], `moved` new rows first."""
    needed = len(fresh) - moved
    if len(table) < needed:
        raise UserError(f"its tables have {len(table)} rows, and its tokenizer {needed} tokens")
    taken = table[:needed]
    normal = fresh[:moved] / fresh.std()
    return torch.cat((taken.mean(0) + taken.std(0) * normal, taken))


def _check_shapes(found: Mapping[str, Tensor], fresh: Mapping[str, Tensor]) -> None:
    for name, value in found.items():
        if name not in fresh or value.shape != fresh[name].shape:
            wanted = list(fresh[name].shape) if name in fresh else "nothing of that name"
            raise UserError(f"its {name} (in our terms) is {list(value.shape)}, and the network has {wanted}")
