"""A file of a run or of a dataset that is empty, torn or foreign ends training with a sentence that names it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from hrm_ray.config import Config
from hrm_ray.errors import UserError
from hrm_ray.prepare import card, shards
from hrm_ray.prepare.shards import Shards, part_name
from hrm_ray.settings import ConfigError
from hrm_ray.train import loop
from hrm_ray.train.corpus import read_dataset
from hrm_ray.train.examine import examine
from tests.limits import most_bytes_of_a_file
from tests.train.conftest import Silent, example_row, run_config
from tests.train.test_loop import lines

pytestmark = pytest.mark.fault

CONTENTS = (b"", b'{"name": "ru', b"[]", b"{}", b"7", b"null", b"\xff\xfe", b"\0\0\0\0")


@pytest.fixture
def data(dataset: Path, tmp_path: Path) -> Path:
    """A copy that can be spoilt, whose card counts its rows and names its shards."""
    folder = shutil.copytree(dataset, tmp_path / "data")
    facts = json.loads((folder / card.CARD).read_text())
    facts["shards"] = {str(path.relative_to(folder)): "0" for path in folder.rglob("*.arrow")}
    facts["folds"] = {fold: {"examples": len(Shards(folder / fold))} for fold in ("train", "judge", "validation")}
    (folder / card.CARD).write_text(json.dumps(facts))
    return folder


@pytest.fixture(scope="module")
def begun(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Config:
    config = run_config(dataset, tmp_path_factory.mktemp("begun"), max_steps=2, checkpoint={"every": 1})
    loop.train(config, "main", Silent())
    return config


@pytest.fixture
def run(begun: Config, tmp_path: Path) -> Config:
    """A copy of a run that can be spoilt."""
    shutil.copytree(begun.run_dir, tmp_path / "run")
    return begun.model_copy(update={"runs": tmp_path})


@pytest.mark.parametrize("content", CONTENTS)
@pytest.mark.parametrize("name", ["run.json", "config.yaml"])
def test_a_record_that_cannot_be_used_is_named_and_left_as_it_is(run: Config, name: str, content: bytes) -> None:
    (run.run_dir / name).write_bytes(content)
    with pytest.raises(UserError, match=name):
        loop.train(run, "main", Silent())
    assert (run.run_dir / name).read_bytes() == content


def test_checkpoints_of_which_no_record_tells_are_not_gone_on_from(run: Config) -> None:
    (run.run_dir / "run.json").unlink()
    with pytest.raises(ConfigError, match=r"run\.json"):
        loop.train(run, "main", Silent())


@pytest.mark.parametrize("line", ["", "7", '{"event": "train"}', '{"step": 1}', '{"event": "train", "st', "\0\0"])
def test_a_broken_line_of_metrics_is_named_with_its_number(run: Config, line: str) -> None:
    metrics = run.run_dir / "metrics.jsonl"
    first, *others = metrics.read_text().splitlines()
    metrics.write_text("\n".join([first, line, *others]) + "\n")
    with pytest.raises(UserError, match=r"metrics\.jsonl line 2: "):
        loop.train(run, "main", Silent())


@pytest.mark.parametrize("tail", ['{"event": "train", "st', "\0" * 4096])
def test_a_last_line_that_a_kill_has_torn_is_left_out(run: Config, tail: str) -> None:
    with (run.run_dir / "metrics.jsonl").open("a") as file:
        file.write(tail)
    loop.train(run, "main", Silent())
    assert [line["step"] for line in lines(run, "train")] == [1, 2]


@pytest.mark.parametrize("content", CONTENTS)
def test_a_card_that_cannot_be_used_is_named(data: Path, tmp_path: Path, content: bytes) -> None:
    (data / card.CARD).write_bytes(content)
    with pytest.raises(UserError, match=r"dataset\.json"):
        read_dataset(run_config(data, tmp_path))


def test_a_file_in_the_place_of_a_dataset_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(UserError, match=f"{tmp_path / 'data'}: is a file"):
        read_dataset(run_config(tmp_path / "data", tmp_path))


def lose(data: Path) -> None:
    (data / "train" / part_name(1)).unlink()


def add(data: Path) -> None:
    shutil.copy(data / "test" / part_name(0), data / "train" / part_name(2))


def exchange(data: Path) -> None:
    shutil.copy(data / "test" / part_name(0), data / "train" / part_name(1))


def mistake(data: Path) -> None:
    shutil.copy(data / "judgements" / "judge" / part_name(0), data / "train" / part_name(1))


def tear(data: Path) -> None:
    path = data / "train" / part_name(1)
    path.write_bytes(path.read_bytes()[:-100])


def rename(data: Path) -> None:
    path = data / "train" / part_name(1)
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, pa.schema([("text", pa.string())])):
        pass


@pytest.mark.parametrize("spoil", [lose, add, exchange, mistake, tear, rename])
def test_shards_of_another_making_are_named(data: Path, tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    config = run_config(data, tmp_path)
    examine(config)
    spoil(data)
    with pytest.raises(UserError, match=f"{data}/train"):
        examine(config)


def test_a_full_disk_ends_a_run_between_steps_and_the_same_command_goes_on(dataset: Path, tmp_path: Path) -> None:
    config = run_config(dataset, tmp_path, max_steps=4, checkpoint={"every": 1}, schedule={"kind": "constant"})
    size = 3000  # the settings fit, four lines of metrics and weights do not
    with most_bytes_of_a_file(size), pytest.raises(UserError, match=str(config.run_dir)):
        loop.train(config, "main", Silent())
    assert not list(config.run_dir.rglob(".step-*"))
    loop.train(config, "main", Silent())
    assert [line["step"] for line in lines(config, "train")] == [1, 2, 3, 4]


def test_rows_in_shards_of_any_size_are_the_same_rows(dataset: Path, tmp_path: Path) -> None:
    """Of 1 row, of 1,000, and with empty ones between."""
    rows = [example_row("train", index) for index in range(1000)]
    for name, size in (("one", 1), ("all", 1000), ("some", 333)):
        for part, start in enumerate(range(0, len(rows), size)):
            shards.write(tmp_path / name / part_name(2 * part), rows[start : start + size], shards.TOKENISED)
            shards.write(tmp_path / name / part_name(2 * part + 1), [], shards.TOKENISED)
    one, whole, some = (Shards(tmp_path / name) for name in ("one", "all", "some"))
    assert len(one) == len(whole) == len(some) == 1000
    for column in ("code_ids", "plan_ids"):
        assert one.lengths(column).tolist() == whole.lengths(column).tolist() == some.lengths(column).tolist()
    for index in (0, 1, 332, 333, 999):
        assert one.row(index) == whole.row(index) == some.row(index)
        assert one.ids(index, "code_ids").tolist() == whole.ids(index, "code_ids").tolist()
