"""The page of a search: faithful to `search.json`, escaped, self-contained, and honest about what it cannot say."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from hrm_ray.errors import UserError
from hrm_ray.report.command import show_report
from hrm_ray.report.search import narrow, next_best, not_measured, reordered, write
from hrm_ray.report.search_charts import log_ticks
from hrm_ray.tune import record
from hrm_ray.tune.record import Record
from hrm_ray.tune.space import Domain
from tests.report.conftest import run_record, train_line, validation_line
from tests.report.test_page import HOSTILE, Page

KEYS = ("train.losses.refinement", "train.schedule.kind", "train.schedule.warmup")


def trial(ident: str, state: str, step: int, objective: float | None, values: tuple[Any, ...]) -> dict[str, Any]:
    decayed = 4.0 + 0.1 * int(ident)
    rung = {"step": 12, "objective": decayed, "undecayed": decayed + 0.2, "updates": 2}
    return {
        "id": ident,
        "state": state,
        "values": dict(zip(KEYS, values, strict=True)),
        "step": step,
        "objective": objective,
        "rungs": [rung] if step >= 12 else [],
        "seconds": 100.5,
    }


@pytest.fixture
def tree() -> dict[str, Any]:
    space = {
        KEYS[0]: {"log_uniform": [0.02, 1.0]},
        KEYS[1]: {"choice": ["cosine", "wsd"]},
        KEYS[2]: {"uniform": [0, 0.3]},
    }
    rungs = {"first": 12, "reduction": 2, "decay": 0.2}
    trials = [
        trial("0", "completed", 48, 3.5, (0.3, "wsd", 0.2)),
        trial("1", "completed", 48, 3.25, (0.1, "cosine", 0.01)),
        trial("2", "stopped", 12, 4.2, (0.9, "wsd", 0.1)),
        trial("3", "diverged", 5, None, (0.02, "wsd", 0.1)),
    ]
    return {
        "name": "tune-first",
        "settings": {"set": {"train.rows": 8}, "space": space, "trials": 4, "concurrent": 2, "seed": 0, "rungs": rungs},
        "experiment": {},
        "horizon": 48,
        "rungs": [12],
        "synthetic": False,
        "seconds": 321.0,
        "trials": {one["id"]: one for one in trials},
    }


def lay(tree: dict[str, Any], folder: Path) -> Path:
    """Lay down a search folder with the metrics of its trials."""
    record.write(folder, Record.model_validate(tree))
    for ident, one in tree["trials"].items():
        run = folder / "trials" / ident
        run.mkdir(parents=True)
        lines = [train_line(step) for step in range(1, one["step"] + 1)]
        lines += [validation_line(step) | {"objective": 4.4} for step in range(12, one["step"] + 1, 12)]
        lines.append({"event": "fork", "step": 12, "objective": 4.1, "updates": 2})
        (run / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        (run / "run.json").write_text(json.dumps(run_record("trial") | {"horizon": 48}))
        (run / "config.yaml").write_text("name: 0\n")
    return folder


def page(tree: dict[str, Any], folder: Path) -> Page:
    return Page(write(lay(tree, folder)).read_text("utf-8"))


def test_it_says_what_the_record_says(tree: dict[str, Any], tmp_path: Path) -> None:
    read = page(tree, tmp_path)
    words = " ".join(read.text.split())
    assert read.open == []
    assert "Lowest objective3.2500 trial 1" in words
    rows = re.findall(r'<tr[^>]*>\s*<th scope="row">(.*?)</tr>', source(tmp_path), re.DOTALL)
    shown = [re.sub(r"<[^>]*>", " ", row).split() for row in rows[:4]]
    assert [row[0] for row in shown] == ["1", "0", "2", "3"]
    assert shown[0][1:] == ["best", "3.2500", "4.100", "(4.300)", "0.1", "cosine", "0.01", "50", "100"]
    assert shown[2][1:6] == ["stopped", "at", "step", "12", "4.2000"]
    assert shown[3][1:7] == ["diverged", "at", "step", "5", "\N{EN DASH}", "\N{EN DASH}"]
    assert "0.02 to 1, evenly in its logarithm" in words
    assert "one of cosine, wsd" in words
    assert "At step 12 a trial goes on if it is among the best 1/2" in words
    assert "9f2ab4c1d7e08855" in words


def source(folder: Path) -> str:
    return (folder / "report.html").read_text("utf-8")


def test_every_trial_is_drawn(tree: dict[str, Any], tmp_path: Path) -> None:
    page(tree, tmp_path)
    svgs = re.findall(r'<svg class="chart" .*?</svg>', source(tmp_path), re.S)
    titles = [re.findall(r"<title id[^>]*>(.*?)</title>", svg)[0] for svg in svgs]
    assert len(svgs) == 4 + len(KEYS)
    objective, *_, by_warmup = svgs
    assert objective.count("<polyline") == 6, "a curve and its rungs for each of the three trials that have any"
    assert titles[-1] == "Objective against schedule.warmup"
    assert by_warmup.count("<circle") == 3, "the diverged trial has no objective"
    assert "2, stopped at step 12: schedule.warmup 0.1, 4.2000" in by_warmup
    left, right = (float(re.findall(rf'cx="([\d.]+)"[^>]*><title>{ident},', by_warmup)[0]) for ident in "10")
    assert left < right


def test_the_same_search_gives_the_same_bytes(tree: dict[str, Any], tmp_path: Path) -> None:
    first, second = write(lay(tree, tmp_path / "a")), write(lay(tree, tmp_path / "b"))
    assert first.read_bytes() == second.read_bytes()


def test_foreign_text_is_escaped_and_nothing_is_asked_for(tree: dict[str, Any], tmp_path: Path) -> None:
    tree["name"] = HOSTILE
    tree["settings"]["space"][KEYS[1]] = {"choice": ["cosine", "wsd", HOSTILE]}
    tree["trials"]["1"]["values"][KEYS[1]] = HOSTILE
    read = page(tree, tmp_path)
    tags = {tag for tag, _ in read.tags}
    assert not tags & {"script", "link", "img", "iframe", "object", "embed", "base", "form"}
    assert not re.search(r"url\(|@import|https?:", source(tmp_path))
    assert read.text.count('<script>alert("x")</script>') >= 3
    ids = [attributes["id"] for _, attributes in read.tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_an_unfinished_search_says_so(tree: dict[str, Any], tmp_path: Path) -> None:
    del tree["trials"]["3"]
    tree["trials"] = {"0": tree["trials"]["2"] | {"id": "0", "state": "running"}}
    read = page(tree, tmp_path)
    assert "no trial has come to its end" in read.text
    assert "The rest of the search: 4 of 4 trials have not ended." in read.text


def test_what_was_not_measured(tree: dict[str, Any]) -> None:
    found = Record.model_validate(tree)
    told = " ".join(not_measured(found))
    assert "every setting was tried once, with one seed" in told
    assert "How the 1 stopped trials would have ended" in told
    assert "best.yaml leaves out what they set (rows 8)" in told
    assert "schedule.warmup beyond its range" in told
    assert "synthetic" not in told
    assert "have not ended" not in told
    assert list(narrow(found)) == [KEYS[2]]
    assert "Real pull requests" in " ".join(not_measured(Record.model_validate(tree | {"synthetic": True})))


def test_what_the_decay_changed_is_counted(tree: dict[str, Any]) -> None:
    [before] = reordered(Record.model_validate(tree))
    assert "was worth 0.200 on average and changed the order of 0 of 3 pairs" in before
    tree["trials"]["0"]["rungs"][0]["undecayed"] = 4.35
    [after] = reordered(Record.model_validate(tree))
    assert "changed the order of 1 of 3 pairs" in after


def test_the_next_best_is_one_that_came_to_the_end(tree: dict[str, Any]) -> None:
    second = next_best(Record.model_validate(tree))
    assert second is not None
    assert second.id == "0"
    tree["trials"]["0"]["state"] = "stopped"
    assert next_best(Record.model_validate(tree)) is None


def test_a_value_has_its_place_in_a_range() -> None:
    assert Domain(log_uniform=(0.01, 1.0)).share(0.1) == pytest.approx(0.5)
    assert Domain(uniform=(1.0, 3.0)).share(2.5) == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [(1e-4, 1.0, [1e-4, 1e-3, 1e-2, 1e-1, 1.0]), (0.02, 1.0, [0.02, 0.05, 0.1, 0.2, 0.5, 1.0]), (3.0, 4.0, [])],
)
def test_ticks_of_a_logarithmic_axis_are_round(low: float, high: float, ticks: list[float]) -> None:
    assert log_ticks(low, high) == pytest.approx(ticks)


def test_the_verb_knows_a_search(tree: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    show_report(lay(tree, tmp_path))
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        f"reporting on {tmp_path}",
        "best: trial 1, objective 3.2500",
        f"report: {tmp_path / 'report.html'}",
    ]


def test_a_folder_without_a_search_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"not the folder of a search, search\.json is missing"):
        write(tmp_path)
