"""A run is known by its folder, and its data and first weights by their sums: where they lie does not matter."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from hrm_ray import settings
from hrm_ray.config import Config
from hrm_ray.settings import ConfigError
from hrm_ray.train import loop
from hrm_ray.train.run import read_run, roles
from tests.train.begun import begun, exported, prepared_for
from tests.train.conftest import Silent, run_config
from tests.train.test_loop import assert_bit_equal, final, lines

SETTINGS: dict[str, Any] = {"checkpoint": {"every": 1}, "schedule": {"kind": "constant", "warmup_steps": 1}}


def trained(config: Config, steps: int) -> Config:
    longer = config.model_copy(update={"train": config.train.model_copy(update={"max_steps": steps})})
    for role, one in roles(longer).items():
        loop.train(one, role, Silent())
    return longer


@pytest.fixture
def data(dataset: Path, tmp_path: Path) -> Path:
    """A copy that can be moved."""
    return shutil.copytree(dataset, tmp_path / "data")


@pytest.mark.parametrize("place", ["renamed", "elsewhere/run", "elsewhere/renamed"])
def test_a_moved_run_goes_on_bit_for_bit_with_its_seeds_and_baselines(data: Path, tmp_path: Path, place: str) -> None:
    tree = run_config(data, tmp_path / "runs", **SETTINGS)
    config = tree.model_copy(update={"baselines": ("equal_parameters",), "seeds": 2})
    stayed = trained(trained(config.model_copy(update={"name": "stayed"}), 1), 2)
    run = trained(config, 1).run_dir
    new = tmp_path / place
    new.parent.mkdir(exist_ok=True)
    run.rename(new)
    data.rename(tmp_path / "moved-data")
    there = {"name": new.name, "runs": new.parent, "data": tmp_path / "moved-data"}
    moved = trained(config.model_copy(update=there), 2)
    assert not run.exists()
    for one, other in zip(roles(moved).values(), roles(stayed).values(), strict=True):
        assert [line["step"] for line in lines(one, "train")] == [1, 2]
        assert_bit_equal(final(one), final(other))
    assert read_run(new).data == tmp_path / "moved-data"


def test_the_settings_in_a_run_folder_are_those_of_that_folder(data: Path, tmp_path: Path) -> None:
    run = trained(run_config(data, tmp_path / "runs", **SETTINGS), 1).run_dir
    new = run.rename(tmp_path / "copy")
    found = settings.load(new / "config.yaml")
    assert (found.run_dir, found.data) == (new, data)
    loop.train(found, "main", watcher := Silent())
    assert any("trained to its end" in sentence for sentence in watcher.sentences)
    assert settings.load(new / "config.yaml", ["name=other"]).run_dir == tmp_path / "other"
    odd = new.rename(tmp_path / "a copy (2)")
    with pytest.raises(ConfigError, match="name"):  # which would be found in its settings by no later verb
        loop.train(settings.load(odd / "config.yaml"), "main", Silent())
    assert read_run(odd).run_dir == odd


def test_other_data_in_the_place_of_the_old_is_refused(data: Path, other: Path, tmp_path: Path) -> None:
    config = trained(run_config(data, tmp_path / "runs", **SETTINGS), 1)
    shutil.rmtree(data)
    shutil.copytree(other, data)
    for place in (data, other):
        with pytest.raises(ConfigError, match=f"{place}: is not the dataset"):
            trained(config.model_copy(update={"data": place}), 2)


def test_a_mixture_may_be_moved_and_not_be_changed(data: Path, other: Path, tmp_path: Path) -> None:
    mixture = [{"data": str(other), "weight": 0.5}]
    trained(run_config(data, tmp_path / "runs", **SETTINGS, mixture=mixture), 1)
    copy = shutil.copytree(other, tmp_path / "copy")
    moved = [{"data": str(copy), "weight": 0.5}]
    trained(run_config(data, tmp_path / "runs", **SETTINGS, mixture=moved), 2)
    for changed in ([{"data": str(copy), "weight": 0.4}], []):
        with pytest.raises(ConfigError, match=r"another train\.mixture"):
            trained(run_config(data, tmp_path / "runs", **SETTINGS, mixture=changed), 2)


def test_first_weights_may_be_moved_and_not_be_changed(dataset: Path, tmp_path: Path) -> None:
    source, _ = exported(tmp_path / "source", run_config(dataset, tmp_path))
    data = prepared_for(source, dataset, tmp_path / "data")
    trained(begun(data, tmp_path / "runs", source, {}, **SETTINGS), 1)
    moved = source.rename(tmp_path / "moved")
    trained(begun(data, tmp_path / "runs", moved, {}, **SETTINGS), 2)
    weights = moved / "model.safetensors"
    content = weights.read_bytes()
    weights.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(ConfigError, match="other weights"):
        trained(begun(data, tmp_path / "runs", moved.rename(tmp_path / "again"), {}, **SETTINGS), 3)
