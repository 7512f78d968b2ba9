"""Sinks get the numbers of `metrics.jsonl`, with the real libraries, offline; a resumed run goes on in the same run."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from hrm_ray import settings
from hrm_ray.config import Config
from hrm_ray.errors import UserError
from hrm_ray.train import loop, sinks
from hrm_ray.train.sinks import OBJECTIVE, flat
from hrm_ray.train.tracking import NAMES, PROJECT
from tests.train.conftest import Silent, run_config
from tests.train.test_loop import lines


def trained_twice(dataset: Path, folder: Path, sink: str) -> Config:
    """Train two steps, then go on to four."""
    for steps in (2, 4):
        config = run_config(dataset, folder, max_steps=steps, log={"to": [sink]}, checkpoint={"every": 2})
        loop.train(config, "main", Silent())
    return config


def losses(config: Config) -> list[float]:
    return [line["code_loss"] for line in lines(config, "train")]


def test_tensorboard_holds_the_same_numbers_and_the_settings(dataset: Path, tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    config = trained_twice(dataset, tmp_path, "tensorboard")
    board = EventAccumulator(str(config.run_dir / "tensorboard"))
    board.Reload()
    assert [event.value for event in board.Scalars("train/code_loss")] == pytest.approx(losses(config))
    assert board.Scalars(OBJECTIVE)[-1].value == pytest.approx(lines(config, "validation")[-1]["objective"])
    contents = {}
    for content in board.PluginTagToContent("hparams").values():
        data = HParamsPluginData.FromString(content)
        contents[data.WhichOneof("data")] = getattr(data, data.WhichOneof("data"))
    assert contents["experiment"].metric_infos[0].name.tag == OBJECTIVE
    session = contents["session_start_info"].hparams
    assert session["train.losses.plan"].number_value == 0.4
    assert session["train.schedule.kind"].string_value == "cosine"


def test_mlflow_goes_on_in_the_same_run(dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tracking = pytest.importorskip("mlflow.tracking")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "mlruns").as_uri())
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    config = trained_twice(dataset, tmp_path, "mlflow")
    client = tracking.MlflowClient()
    [run] = client.search_runs([client.get_experiment_by_name(PROJECT).experiment_id])
    assert json.loads((config.run_dir / NAMES).read_text()) == {"mlflow": run.info.run_id}
    assert run.info.status == "FINISHED"
    assert run.data.params.keys() == flat(config).keys()
    assert run.data.params["train.max_steps"] == "2", "what it began with; MLflow changes no parameter"
    assert {key: value for key, value in run.data.tags.items() if key.startswith("train.")} == {"train.max_steps": "4"}
    points = client.get_metric_history(run.info.run_id, "train/code_loss")
    assert [point.step for point in points] == [1, 2, 3, 4]
    assert [point.value for point in points] == losses(config)
    assert run.data.metrics[OBJECTIVE] == lines(config, "validation")[-1]["objective"]
    again = run_config(dataset, tmp_path, max_steps=None, epochs=1, log={"to": ["mlflow"]}, checkpoint={"every": 2})
    loop.train(again, "main", Silent())
    tags = client.get_run(run.info.run_id).data.tags
    assert (tags["train.max_steps"], tags["train.epochs"]) == ("null", "1")


def test_mlflow_without_a_place_is_a_sentence(dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("mlflow.tracking")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "nowhere://")
    with pytest.raises(UserError, match=r"train\.log\.to: mlflow: .*nowhere.*MLFLOW_TRACKING_URI names its server"):
        loop.train(run_config(dataset, tmp_path, log={"to": ["mlflow"]}), "main", Silent())


def test_wandb_goes_on_in_the_same_run(dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pb = pytest.importorskip("wandb.proto.wandb_internal_pb2")
    monkeypatch.setenv("WANDB_MODE", "offline")
    config = trained_twice(dataset, tmp_path, "wandb")
    name = json.loads((config.run_dir / NAMES).read_text())["wandb"]
    files = sorted((config.run_dir / "wandb").glob(f"offline-run-*-{name}/*.wandb"))
    assert len(files) == 2, "each process leaves a folder of the same run"
    wanted, until = list(zip([1, 2, 3, 4], losses(config), strict=True)), time.monotonic() + 60
    while (told := history(files, pb)) != wanted and time.monotonic() < until:  # its service writes behind our back
        time.sleep(0.2)
    assert told == wanted


def history(files: Sequence[Path], pb: Any) -> list[tuple[int, float]]:
    """Return step and code loss of each training step that is in these files of W&B."""
    told = []
    for record in (pb.Record.FromString(data) for file in files for data in leveldb_records(file.read_bytes())):
        items = {item.key or item.nested_key[0]: json.loads(item.value_json) for item in record.history.item}
        told += [(items["step"], items["train/code_loss"])] if "train/code_loss" in items else []
    return told


def leveldb_records(data: bytes, header: int = 7, block: int = 32768) -> Iterator[bytes]:
    """Read a log in LevelDB's form, which W&B's offline files have: blocks of fragments, after W&B's own header."""
    position, whole = header, b""
    while position + header <= len(data):
        if (left := block - position % block) < header:
            position += left
            continue
        _, size, kind = struct.unpack_from("<IHB", data, position)
        if position + header + size > len(data):
            return  # it is being written
        whole += data[position + header : position + header + size]
        position += header + size
        if kind in (1, 4):  # full, last
            yield whole
            whole = b""


@pytest.mark.parametrize("when", ["write", "close"])
@pytest.mark.fault
def test_a_sink_that_fails_is_let_go_and_the_run_goes_on(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ConnectionError("the server is gone\nfor good")

    monkeypatch.setattr(sinks.TensorBoard, when, fail)
    config, watcher = run_config(dataset, tmp_path, max_steps=3, log={"to": ["tensorboard"]}), Silent()
    loop.train(config, "main", watcher)
    why = "ConnectionError: the server is gone"
    assert watcher.sentences == [f"train.log.to: TensorBoard is told nothing more ({why}); metrics.jsonl goes on"]
    assert len(lines(config, "train")) == 3


def test_a_run_folder_of_before_is_opened(dataset: Path, tmp_path: Path) -> None:
    for told, to in ((True, ("tensorboard",)), (False, ())):
        assert run_config(dataset, tmp_path, log={"tensorboard": told}).train.log.to == to


def test_what_is_not_installed_is_a_sentence(dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    config = run_config(dataset, tmp_path, log={"to": ["tensorboard", "wandb"]})
    with pytest.raises(UserError, match=r"wandb needs the package wandb: pip install 'hrm-ray\[tracking\]'"):
        loop.train(config, "main", Silent())
    assert not config.run_dir.exists()


def test_no_library_of_a_sink_is_imported_that_is_not_named(dataset: Path, tmp_path: Path) -> None:
    script = (
        "import sys, pathlib; from hrm_ray import settings; from hrm_ray.train import loop;"
        "from tests.train.conftest import Silent;"
        "loop.train(settings.load(pathlib.Path(sys.argv[1])), 'main', Silent());"
        "print([name for name in ('tensorboard', 'wandb', 'mlflow') if name in sys.modules])"
    )
    file = tmp_path / "run.yaml"
    file.write_text(settings.dump(run_config(dataset, tmp_path, max_steps=1)))
    done = subprocess.run([sys.executable, "-c", script, str(file)], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
