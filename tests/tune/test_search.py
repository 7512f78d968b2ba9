"""Whole searches with real processes: their result, what they leave, and going on after a kill."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
import ray
import torch
from ray.tune.experiment import Trial as TuneTrial
from ray.tune.search.basic_variant import BasicVariantGenerator

from hrm_ray import settings
from hrm_ray.errors import UserError
from hrm_ray.launch.command import train_all
from hrm_ray.settings import ConfigError
from hrm_ray.train import checkpoint, loop
from hrm_ray.train.run import read_run
from hrm_ray.tune import command, record, search
from hrm_ray.tune.follow import DIED, TrialError, last_step
from hrm_ray.tune.record import Record, Rung, Trial
from hrm_ray.tune.search import Halving
from hrm_ray.tune.space import Study
from tests.conftest import ROOT
from tests.train.begun import begun, exported, prepared_for
from tests.train.conftest import Silent, run_config
from tests.tune.conftest import Open

LONG = 60
SLOWER = (
    "scheduler=fifo",
    "trials=3",
    f"set.train={{epochs: 20, max_steps: {LONG}, checkpoint: {{every: 5}}, validation: {{every: {LONG}}}}}",
)


class Unimportable:
    """A function that only the process which made it can load."""

    __name__ = "unimportable"

    def __init__(self) -> None:
        self.pid = os.getpid()

    def __call__(self, given: object) -> None:
        raise AssertionError("it was called")

    def __reduce__(self) -> tuple[object, tuple[int]]:
        return load_in, (self.pid,)


def load_in(pid: int) -> Unimportable:
    if os.getpid() != pid:
        raise ImportError("No module named 'absent'")
    return Unimportable()


def searched(study: Study) -> Record:
    command.tune(study)
    found = record.read(study.folder)
    assert found is not None
    return found


def free_cpus(wanted: float) -> float:
    """Ray gives back the CPUs of a placement group a moment after it is removed."""
    deadline = time.monotonic() + 60
    while (free := float(ray.available_resources().get("CPU", 0.0))) != wanted and time.monotonic() < deadline:
        time.sleep(0.1)
    return free


def lines(folder: Path) -> list[dict[str, Any]]:
    """Return the whole lines of the metrics: a kill may have torn the last one."""
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().rpartition("\n")[0].splitlines()]


def test_a_search_from_beginning_to_end(
    opened: Open, file: Path, ray_session: None, capsys: pytest.CaptureFixture[str]
) -> None:
    before = ray.available_resources()["CPU"]
    study = opened()
    found = searched(study)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert free_cpus(before) == before
    assert found.finished
    assert found.best is not None
    assert found.best.objective == min(t.objective or 9e9 for t in found.trials.values() if t.state == "completed")
    for ident, trial in found.trials.items():
        run = study.folder / "trials" / ident
        assert read_run(run).train.schedule.peak == trial.values["train.schedule.peak"]
        steps = [line["step"] for line in lines(run) if line["event"] == "train"]
        assert steps == list(range(1, trial.step + 1))
        forks = [(line["step"], line["updates"], line["objective"]) for line in lines(run) if line["event"] == "fork"]
        assert forks == [(rung.step, rung.updates, rung.objective) for rung in trial.rungs]
        assert [(step, updates) for step, updates, _ in forks] == [(2, 1), (4, 2)][: len(forks)]
        assert trial.state == ("completed" if trial.step == 8 else "stopped")
        last = [line["objective"] for line in lines(run) if line["event"] == "validation"][-1]
        assert trial.objective == (last if trial.step == 8 else trial.rungs[-1].objective)
    out = capsys.readouterr().out
    assert f"best: trial {found.best.id}; train it: hrm-ray train {study.folder / command.BEST}" in out
    assert "Trial" not in out, "Ray Tune's own table was printed"

    command.tune(opened())
    assert record.read(study.folder) == found, "a finished search was run again"
    with pytest.raises(ConfigError, match=r"exists with another trials; a search goes on as it was begun"):
        command.tune(opened("trials=5"))
    with pytest.raises(ConfigError, match=r"another space\.train\.schedule\.warmup\.uniform, train\.rows;"):
        command.tune(opened("space.train.schedule.warmup.uniform=[0, 0.2]", "set.train.rows=4"))
    the_best_is_an_experiment(study, found.best)


def the_best_is_an_experiment(study: Study, best: Trial) -> None:
    config = settings.load(study.folder / command.BEST)
    assert config == study.winner(best.values)
    assert config.train.max_steps is None
    assert config.train.losses.refinement == best.values["train.losses.refinement"]
    train_all(config)
    assert checkpoint.newest(config.run_dir / "checkpoints", print) is not None


def test_the_same_seed_draws_the_same_and_another_does_not(opened: Open, ray_session: None) -> None:
    short = ("scheduler=fifo", "set.train.max_steps=2", "trials=2")
    drawn = [
        {
            ident: trial.values
            for ident, trial in searched(opened(*short, f"name={name}", f"seed={seed}")).trials.items()
        }
        for name, seed in (("one", 1), ("two", 1), ("other", 2))
    ]
    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2]
    assert {ident: sorted(values) for ident, values in drawn[0].items()} == dict.fromkeys(
        ("00000", "00001"), sorted(opened().search.space)
    )


def test_trials_begin_with_the_weights_of_a_folder(
    opened: Open, dataset: Path, file: Path, tmp_path: Path, ray_session: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, _ = exported(tmp_path / "source", run_config(dataset, tmp_path))
    data = prepared_for(source, dataset, tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    base = begun(data, tmp_path / "runs", Path(source.name), {}, max_steps=2, checkpoint={"every": 2})
    (tmp_path / "base.yaml").write_text(settings.dump(base))
    study = opened("scheduler=fifo", "set.train.max_steps=2", "trials=2")
    ident = min(searched(study).trials)
    loop.train(base, "main", Silent())
    first = [lines(folder)[0] for folder in (base.run_dir, study.folder / "trials" / ident)]
    assert first[0]["code_loss"] == pytest.approx(first[1]["code_loss"], rel=1e-6)
    assert json.loads((study.folder / "trials" / ident / "run.json").read_text())["init_from"]["sha256"]


@pytest.mark.fault
def test_a_diverged_trial_is_a_result(opened: Open, ray_session: None) -> None:
    found = searched(opened("space={train.schedule.peak: {choice: [1e-3, 1e30]}}"))
    states = {trial.values["train.schedule.peak"]: trial for trial in found.trials.values()}
    assert len(states) == 2, "this seed drew only one of two values"
    assert (states[1e30].state, states[1e30].objective) == ("diverged", None)
    assert states[1e-3].state in ("completed", "stopped")
    assert found.best is not None
    assert found.best.values["train.schedule.peak"] == 1e-3


def test_a_search_without_a_best_says_so(opened: Open, ray_session: None) -> None:
    study = opened("space={train.schedule.peak: {choice: [1e29, 1e30]}}", "trials=2")
    with pytest.raises(UserError, match="no trial came to its end with an objective"):
        command.tune(study)
    assert not (study.folder / command.BEST).exists()


def kill_trial(folder: Path) -> None:
    """Kill the process that trains the trial in `folder`, once it does."""
    metrics, deadline = str(folder / "metrics.jsonl"), time.monotonic() + 120
    while time.monotonic() < deadline:
        for process in psutil.Process().children(recursive=True):
            with suppress(psutil.Error):
                if metrics in {one.path for one in process.open_files()}:
                    process.kill()
                    return
        time.sleep(0.02)


@pytest.mark.fault
def test_a_search_outlives_trials_that_fail_and_tries_them_again(
    opened: Open, ray_session: None, capsys: pytest.CaptureFixture[str]
) -> None:
    study, before = opened("scheduler=fifo", "trials=3", "set.train.max_steps=40"), ray.available_resources()["CPU"]
    runs = study.experiment.runs
    runs.mkdir(parents=True)
    (runs / "00000").touch()  # where the folder of a trial goes
    killer = threading.Thread(target=kill_trial, args=(runs / "00001",), daemon=True)
    killer.start()
    found = searched(study)
    killer.join()
    states = {ident: trial.state for ident, trial in found.trials.items()}
    assert states == {"00000": "failed", "00001": "failed", "00002": "completed"}
    assert str(runs / "00000") in found.trials["00000"].error
    assert found.trials["00001"].error == DIED
    assert found.best == found.trials["00002"]
    assert not found.finished
    out = capsys.readouterr().out
    assert "2 of 3 trials failed: 00000" in out
    assert f"00001 ({DIED})" in out
    assert free_cpus(before) == before
    (runs / "00000").unlink()
    again = searched(study)
    assert again.finished
    assert again.trials["00002"] == found.trials["00002"], "a trial that had ended was run again"
    assert {trial.error for trial in again.trials.values()} == {""}


@pytest.mark.fault
def test_a_search_of_which_every_trial_fails_says_why(opened: Open, ray_session: None) -> None:
    """Here they cannot even start: what Tune is to run cannot be imported where trials run."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(search, "run_trial", Unimportable())
        with pytest.raises(TrialError, match=r"trial 0000\d "):  # of its error Ray may lose the text
            command.tune(opened("scheduler=fifo", "trials=2"))
    found = record.read(opened().folder)
    assert found is not None
    assert {trial.state for trial in found.trials.values()} == {"failed"}
    assert all(trial.values for trial in found.trials.values())


def test_what_the_user_can_mend_in_a_trial_is_one_sentence(opened: Open, ray_session: None) -> None:
    study = opened("scheduler=fifo", "trials=2")
    for ident in ("00000", "00001"):
        one = study.experiment.model_copy(update={"name": ident, "seed": 9})
        one.run_dir.mkdir(parents=True)
        (one.run_dir / "config.yaml").write_text(settings.dump(one))
        (one.run_dir / "run.json").write_text(json.dumps({"dataset_hash": "abc"}))
    with pytest.raises(UserError, match=r"trial 0000. \(losses\.refinement .*\): .*exists with another seed") as caught:
        command.tune(study)
    assert "\n" not in str(caught.value)


@pytest.mark.timeout(600)
@pytest.mark.fault
def test_a_search_ends_at_once_at_sigterm(opened: Open, file: Path) -> None:
    folder = opened(*SLOWER).folder
    with started(file, *SLOWER) as process:
        record_amid(process, folder)
        process.terminate()
        out, err = process.communicate()
    assert process.returncode == 143, (out, err)
    assert err == "stopped by SIGTERM; the same command continues\n"
    found = record.read(folder)
    assert found is not None
    assert not found.over


def test_what_cannot_be_searched_is_refused_before_anything_starts(opened: Open, file: Path) -> None:
    study = opened("set.train.max_steps=2")
    with pytest.raises(UserError, match=r"rungs\.first 2 is not below the 2 steps of a trial: .* set scheduler: fifo"):
        command.tune(study)
    (study.folder).mkdir(parents=True)
    (study.folder / "run.json").write_text("{}")
    with pytest.raises(UserError, match="is the folder of a run; choose another name"):
        command.tune(opened())
    base = file.parent / "base.yaml"
    base.write_text(base.read_text().replace("data: ", "data: /nowhere"))
    with pytest.raises(UserError, match=r"nowhere.*run `hrm-ray prepare`"):
        command.tune(opened())
    assert not ray.is_initialized() or not (study.folder / record.FILE).exists()


def test_more_trials_at_a_time_than_cpus_are_refused(opened: Open, ray_session: None) -> None:
    with pytest.raises(UserError, match=r"concurrent 3 needs 3 CPUs, one a trial, and .*2 CPU"):
        command.tune(opened("concurrent=3"))


def test_show_says_what_follows(opened: Open, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command.show(opened())
    out = capsys.readouterr().out
    assert "log_uniform: [0.02, 1.0]" in out
    assert "# 8 steps a trial, at most 32 in all" in out
    assert "# the better 1/2 go on from steps 2 (after 1 more that decay), 4 (after 2 more that decay)" in out
    base = file.parent / "base.yaml"
    base.write_text(base.read_text().replace("data: ", "data: /nowhere"))
    command.show(opened())
    assert "unknown until prepared" in capsys.readouterr().out


def test_a_moved_search_is_the_same_search_and_one_of_other_data_is_not(opened: Open, file: Path) -> None:
    study = opened()
    record.write(study.folder, command.open_search(study))
    data = shutil.copytree(study.experiment.data, file.parent / "moved-data")
    base = file.with_name("base.yaml")
    base.write_text(settings.dump(settings.load(base, [f"data={data}", f"runs={file.parent / 'elsewhere'}", "name=b"])))
    moved = opened("name=renamed")
    moved.folder.parent.mkdir()
    study.folder.rename(moved.folder)
    found = command.open_search(moved)
    assert (found.name, found.experiment["data"]) == ("renamed", str(data))
    assert found.experiment["runs"] == str(moved.folder / "trials")
    card = data / "dataset.json"
    card.write_text(card.read_text().replace('"abc"', '"another"'))
    with pytest.raises(ConfigError, match="another dataset"):
        command.open_search(moved)


@contextmanager
def started(study_file: Path, *overrides: str) -> Iterator[subprocess.Popen[str]]:
    """Run the command in a process group of its own, of which nothing is left afterwards."""
    words = [sys.executable, "-m", "hrm_ray", "tune", str(study_file)]
    for override in overrides:
        words += ["--set", override]
    environment = os.environ | {"NO_COLOR": "1", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    pipe = subprocess.PIPE
    with subprocess.Popen(
        words, cwd=study_file.parent, env=environment, stdout=pipe, stderr=pipe, text=True, start_new_session=True
    ) as process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def record_amid(process: subprocess.Popen[str], folder: Path) -> Record:
    """Wait until one trial has ended and another is in its middle."""
    while process.poll() is None:
        found = record.read(folder)
        states = {trial.state for trial in found.trials.values()} if found else set()
        if found and {"completed", "running"} <= states and last_checkpoint(found) > 25:
            return found
        time.sleep(0.02)
    raise AssertionError(process.communicate())


def last_checkpoint(found: Record) -> int:
    return max(trial.step for trial in found.trials.values() if trial.state == "running")


@pytest.mark.timeout(900)
@pytest.mark.fault
def test_the_same_command_goes_on_after_kill_9(opened: Open, file: Path, ray_session: None) -> None:
    reference = searched(opened(*SLOWER, "name=whole"))
    folder = opened(*SLOWER, "name=killed").folder
    with started(file, *SLOWER, "name=killed") as process:
        at_kill = record_amid(process, folder)
    assert process.wait() == -signal.SIGKILL
    kept = {ident: lines(folder / "trials" / ident) for ident, trial in at_kill.trials.items() if trial.step}
    folder = folder.rename(folder.with_name("moved"))  # its data too: what goes on is known by its sums
    data = shutil.copytree(opened().experiment.data, file.parent / "moved-data")
    base = file.with_name("base.yaml")
    base.write_text(settings.dump(settings.load(base, [f"data={data}"])))
    with started(file, *SLOWER, "name=moved") as process:
        out, err = process.communicate()
    assert process.returncode == 0, err
    assert "going on, " in out
    found = record.read(folder)
    assert found is not None
    for ident, trial in at_kill.trials.items():
        run = folder / "trials" / ident
        assert [line["step"] for line in lines(run) if line["event"] == "train"] == list(range(1, LONG + 1))
        if trial.state == "completed":
            assert lines(run) == kept[ident], "a trial that had ended was run again"
        elif trial.step > 25:  # the seconds in its lines tell that its first steps were not made again
            assert lines(run)[:10] == kept[ident][:10], "a trial began anew instead of from its checkpoint"
    assert {i: (t.values, t.objective) for i, t in found.trials.items()} == {
        i: (t.values, t.objective) for i, t in reference.trials.items()
    }
    for ident in found.trials:
        one, other = (
            checkpoint.load(where / "trials" / ident / "checkpoints" / checkpoint.folder_name(LONG))
            for where in (folder, folder.with_name("whole"))
        )
        assert all(torch.equal(one.weights[name], other.weights[name]) for name in other.weights)
        assert all(torch.equal(one.moments[name], other.moments[name]) for name in other.moments)


class Controller:
    """What a scheduler sees of Tune's controller."""

    def __init__(self) -> None:
        self.search_alg = BasicVariantGenerator()


def taken_in(past: dict[str, Trial]) -> tuple[Halving, list[TuneTrial]]:
    facts = {"name": "a", "settings": {}, "experiment": {}, "horizon": 8, "rungs": [2, 4], "synthetic": True}
    scheduler = Halving(Record.model_validate(facts | {"trials": past}), time_attr="step", max_t=8, reduction_factor=2)
    scheduler.set_search_properties("objective", "min")
    trials = [TuneTrial("x", trial_id=f"abcde_0000{index}", stub=True) for index in range(3)]
    for trial in trials:
        scheduler.on_trial_add(Controller(), trial)
    return scheduler, trials


def test_an_earlier_sitting_is_remembered() -> None:
    """Its rungs count in the next decision, and what ended then stays ended."""
    rung = Rung(step=2, objective=1.0, undecayed=1.1, updates=1)
    past = {
        "00000": Trial(id="00000", state="completed", values={}, step=8, rungs=(rung,)),
        "00001": Trial(id="00001", state="running", values={}, step=2, rungs=(rung,)),
    }
    decided = {}
    for name, known in (("remembers", past), ("forgets", {})):
        scheduler, trials = taken_in(known)
        decided[name] = scheduler.on_trial_result(Controller(), trials[2], {"step": 2, "objective": 2.0})
    assert decided == {"remembers": "STOP", "forgets": "CONTINUE"}
    assert [trial.status for trial in taken_in(past)[1]] == ["TERMINATED", "PENDING", "PENDING"]


def test_the_last_step_of_metrics_that_are_being_written(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    assert last_step(path) == 0
    path.write_text('{"event": "train", "step": 1}\n{"event": "train", "step": 12}\n{"event": "tr')
    assert last_step(path) == 12
