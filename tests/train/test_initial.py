"""Runs that begin with weights: those of the folder, at every engine; and what a run cannot begin with."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import tokenizers
import torch
from torch import Tensor

from hrm_ray import settings
from hrm_ray.config import Config
from hrm_ray.errors import UserError
from hrm_ray.model import hf_folder
from hrm_ray.model.batch import Document
from hrm_ray.model.hrm import HRM
from hrm_ray.prepare.adopted import SHIFT
from hrm_ray.settings import ConfigError, parse
from hrm_ray.train import checkpoint, loop
from hrm_ray.train.engine import PlainEngine
from hrm_ray.train.examine import examine
from hrm_ray.train.initial import begin, check, initial_weights
from hrm_ray.train.run import build_model, read_run
from tests.conftest import ROOT
from tests.model.test_hf import our_logits, their_logits
from tests.prepare.test_adopted import ADDED, made
from tests.train.begun import FIRST, PADDING, WORLD, begun, exported, foreign, losses, prepared_for
from tests.train.conftest import Silent, run_config

transformers = pytest.importorskip("transformers")

UNTIED = {"tied": False, "embedding_scale": 50.0}


@pytest.fixture(scope="module")
def tokenizer() -> tokenizers.Tokenizer:
    return made(ADDED)


@pytest.fixture(scope="module")
def source(tokenizer: tokenizers.Tokenizer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as published weights are: a scale of its own, no tied head, more rows than tokens, no control tokens."""
    return foreign(tmp_path_factory.mktemp("source"), tokenizer)


@pytest.fixture(scope="module")
def data(source: Path, dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepared_for(source, dataset, tmp_path_factory.mktemp("data") / "for-source")


@pytest.fixture
def config(data: Path, tmp_path: Path, source: Path) -> Config:
    return begun(data, tmp_path / "runs", source, UNTIED, max_steps=2, checkpoint={"every": 2})


def started(config: Config) -> HRM:
    engine = PlainEngine(build_model(config), config.train)
    begin(config, engine, FIRST)
    return engine.model


def test_a_run_begins_with_the_logits_of_the_folder(config: Config, source: Path) -> None:
    theirs = transformers.AutoModelForCausalLM.from_pretrained(source).eval()
    text = Document(prefix=[*range(20, 40)], plan=[], code=[*range(100, 130)])
    moved = Document(prefix=[*range(20 + SHIFT, 40 + SHIFT)], plan=[], code=[*range(100 + SHIFT, 130 + SHIFT)])
    ours, wanted = our_logits(started(config), moved), their_logits(theirs, text)
    assert wanted.std() > 0.05
    torch.testing.assert_close(ours[:, SHIFT:], wanted[:, :-PADDING], atol=1e-4, rtol=0)


def test_new_control_tokens_are_drawn_like_the_others_and_differ(config: Config) -> None:
    weights = initial_weights(config)
    for table in (weights["embedding.weight"], weights["head.weight"]):
        new, old = table[:SHIFT], table[SHIFT:]
        assert len(torch.unique(new, dim=0)) == SHIFT
        assert 0.7 < float(new.std() / old.std()) < 1.1
        assert float((new.mean() - old.mean()).abs()) < 0.2 * float(old.std())
    assert all(torch.equal(value, weights[name]) for name, value in initial_weights(config).items())


def test_an_export_comes_back_bit_for_bit_head_and_all(dataset: Path, tmp_path: Path) -> None:
    folder, model = exported(tmp_path / "export", run_config(dataset, tmp_path))
    config = begun(prepared_for(folder, dataset, tmp_path / "data"), tmp_path, folder, {})
    back = started(config).state_dict()
    assert all(torch.equal(back[name], value) for name, value in model.state_dict().items())
    (folder / "refinement.safetensors").unlink()
    fresh, back = build_model(config).state_dict(), started(config).state_dict()
    assert torch.equal(back["refinement.decide.weight"], fresh["refinement.decide.weight"])
    assert torch.equal(back["embedding.weight"], model.state_dict()["embedding.weight"])


def test_a_run_trains_from_it_and_goes_on_without_it(config: Config, source: Path, tmp_path: Path) -> None:
    shutil.copytree(source, moved := tmp_path / "source")
    config = begun(config.data, config.runs, moved, UNTIED, max_steps=2, checkpoint={"every": 2})
    examine(config)
    loop.train(config, "main", Silent())
    record = json.loads((config.run_dir / "run.json").read_text())
    assert record["init_from"] == {"folder": str(moved), "sha256": hf_folder.weights_sha256(source)}
    shutil.rmtree(moved)
    longer = begun(config.data, config.runs, moved, UNTIED, max_steps=4, checkpoint={"every": 2})
    examine(longer)
    loop.train(longer, "main", Silent())
    assert json.loads((config.run_dir / "run.json").read_text())["init_from"] == record["init_from"]
    assert checkpoint.steps(config.run_dir / "checkpoints")[-1] == 4
    assert read_run(config.run_dir).model.init_from == moved
    again = begun(config.data, config.runs, source, UNTIED, max_steps=4, checkpoint={"every": 2})
    loop.train(again, "main", Silent())  # the same weights in another place


def test_every_zero_stage_begins_with_it(config: Config, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(settings.dump(config))
    environment = os.environ | {"TORCH_EXTENSIONS_DIR": str(tmp_path / "extensions"), "DS_ACCELERATOR": "cpu"}
    words = [sys.executable, "-m", "tests.train.begun"]
    with (tmp_path / "log").open("w") as log:
        ranks = [
            subprocess.Popen(
                [*words, str(rank), str(tmp_path / "config.yaml"), str(tmp_path)],
                cwd=ROOT,
                env=environment,
                stdout=log,
                stderr=log,
            )
            for rank in range(WORLD)
        ]
        try:
            codes = [rank.wait(timeout=120) for rank in ranks]
        finally:
            for rank in ranks:
                rank.kill()
    assert codes == [0, 0], (tmp_path / "log").read_text()[-3000:]
    plain = losses(config, PlainEngine(build_model(config), config.train))
    weights = initial_weights(config)
    for stage, seen in json.loads((tmp_path / "rank-0.json").read_text()).items():
        saved = checkpoint.load(tmp_path / stage / checkpoint.folder_name(0)).weights
        assert saved.keys() == weights.keys()
        assert all(torch.equal(saved[name], value) for name, value in weights.items())
        assert seen == pytest.approx(plain, rel=1e-5), stage


@pytest.mark.parametrize("changes", [{"mode": "plain"}, {"inject": True}, {"shared": True}, {"h_layers": 2}])
def test_networks_that_cannot_begin_so_are_refused_at_load(config: Config, changes: dict[str, Any]) -> None:
    tree = config.model_dump(mode="json")
    with pytest.raises(ConfigError, match="model: init_from names weights of two equal stacks without injection; "):
        parse(tree | {"model": tree["model"] | changes}, "test")


def test_baselines_beside_it_are_refused_at_load(config: Config) -> None:
    with pytest.raises(ConfigError, match=r"baselines start from nothing.*leave one of the two out"):
        parse(config.model_dump(mode="json") | {"baselines": ["equal_parameters"]}, "test")


def test_another_shape_is_refused_with_what_to_set(config: Config, source: Path) -> None:
    tree = config.model_dump(mode="json")
    other = {"tied": True, "hidden": 64, "norm_eps": 1e-5, "rope_theta": 1e5, "l_cycles": 2}
    changed = parse(tree | {"model": tree["model"] | other}, "test")
    told = "set there hidden: 32, tied: false, l_cycles: 3, rope_theta: 10000.0, norm_eps: 1e-06"
    with pytest.raises(UserError, match=f"^model.init_from {source}: holds another network .*{re.escape(told)}$"):
        examine(changed)
    with pytest.raises(UserError, match=re.escape(told)):
        check(changed.model_copy(update={"data": Path("not prepared yet")}))


def test_a_dataset_with_another_tokenizer_is_refused(config: Config, dataset: Path, source: Path) -> None:
    changed = begun(dataset, config.runs, source, UNTIED)
    with pytest.raises(UserError, match=f"has another tokenizer than {dataset} .*set prepare.tokenizer_from: {source}"):
        examine(changed)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"vocab_size": 300}, "its tables have 300 rows, and its tokenizer 342 tokens"),
        ({"tie_word_embeddings": True}, "holds another network .* set there tied: true$"),
        ({"attention_bias": True}, "its attention_bias is True"),
        ({"head_dim": 8}, "its head_dim is 8"),
    ],
)
def test_folders_that_do_not_fit_are_refused(
    config: Config, tokenizer: tokenizers.Tokenizer, tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    folder = foreign(tmp_path / "other", tokenizer, **changes)
    with pytest.raises(UserError, match=f"^model.init_from {folder}: {reason}"):
        examine(begun(config.data, config.runs, folder, UNTIED))


def test_a_folder_that_is_not_there(config: Config, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"config\.json: cannot be read"):
        examine(begun(config.data, config.runs, tmp_path / "nowhere", UNTIED))


def test_weights_of_another_size_than_config_says_are_named(config: Config, source: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    shutil.copytree(source, torn := tmp_path / "torn")
    weights: dict[str, Tensor] = load_file(torn / "model.safetensors")
    weights["model.z_L_init"] = weights["model.z_L_init"][:-1].clone()
    save_file(weights, torn / "model.safetensors")
    with pytest.raises(UserError, match=r"its initial \(in our terms\) is \[31\], and the network has \[32\]"):
        examine(begun(config.data, config.runs, torn, UNTIED))
