"""Each verb, given what it does not take: one sentence, exit code 2, and no library loaded for it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hrm_ray import cli
from tests.conftest import ROOT

Say = Callable[..., str]

TAKES = {
    "experiment.yaml": ("collect", "prepare", "train"),
    "search.yaml": ("tune",),
    "run": ("evaluate", "generate", "export", "report"),
    "searched": ("report",),
    "dataset": (),
    "folder": (),
}
"""The things in the folder of these tests, and the verbs that take each."""
VERBS = ("collect", "prepare", "train", "tune", "evaluate", "generate", "export", "report")


@pytest.fixture
def say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """Call `hrm-ray` in a folder with one of each kind, and return the error that it prints."""
    (tmp_path / "experiment.yaml").write_text("name: some\ndata: nowhere\ntrain: {workers: 1}\n")
    (tmp_path / "search.yaml").write_text("name: search\nbase: experiment.yaml\nspace: {}\ntrials: 2\n")
    for folder, name in (
        ("run", "run.json"),
        ("searched", "search.json"),
        ("dataset", "dataset.json"),
        ("folder", "x"),
    ):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_text("{}")
    (tmp_path / "run" / "config.yaml").write_text("name: some\ndata: nowhere\n")
    (tmp_path / "run" / "checkpoints").mkdir()
    monkeypatch.chdir(tmp_path)

    def call(*words: str) -> str:
        monkeypatch.setattr(sys, "argv", ["hrm-ray", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        assert (ended.value.code, said.out) == (2, "")
        assert said.err.startswith("error: ")
        assert said.err.count("\n") == 1
        return said.err.removeprefix("error: ").rstrip()

    return call


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("thing", TAKES)
def test_a_verb_names_what_it_was_given_what_it_takes_and_the_other_verb(say: Say, verb: str, thing: str) -> None:
    if verb in TAKES[thing]:
        return
    said = say(verb, thing, *(["--to", "x"] if verb == "export" else []))
    assert said.startswith(f"{thing}: ")
    assert [other for other in (verb, *TAKES[thing]) if f"`{other}`" not in said] == []
    wanted = {"tune": "SEARCH"} | dict.fromkeys(("collect", "prepare", "train"), "CONFIG")
    assert wanted.get(verb, "RUN") in said


@pytest.mark.parametrize("verb", ["evaluate", "generate", "report"])
def test_the_run_that_was_meant_is_named(say: Say, verb: str) -> None:
    assert "runs/some" in say(verb, "experiment.yaml")
    assert say(verb, "run/checkpoints").endswith(" run")
    assert say(verb, "run/run.json").endswith(" run")
    assert ("runs/search" in say(verb, "search.yaml")) is (verb == "report")


def test_the_settings_of_a_run_are_named(say: Say) -> None:
    assert "run/config.yaml" in say("train", "run")
    assert "config.yaml" not in say("tune", "run")


@pytest.mark.parametrize("verb", VERBS)
def test_what_is_not_there_is_named(say: Say, verb: str) -> None:
    assert say(verb, "nowhere", *(["--to", "x"] if verb == "export" else [])).startswith("nowhere: ")


@pytest.mark.parametrize("place", ["$HOME/x.yaml", "${HOME}/x", "~nobody-at-all/x", "file:///x", "", "\udcff"])
@pytest.mark.parametrize(
    "words", [["train"], ["tune"], ["evaluate"], ["generate", "run", "--repo"], ["export", "run", "--to"]]
)
def test_a_path_that_would_be_taken_literally_is_refused(say: Say, words: list[str], place: str) -> None:
    assert place.encode("utf-8", "backslashreplace").decode() in say(*words, place)


def test_a_home_is_put_in_the_place_of_its_sign(say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert say("train", "~/folder").startswith(f"{tmp_path}/folder: ")
    assert say("evaluate", "~/none/").startswith(f"{tmp_path}/none: ")


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("train x --workers 2", "--set train.workers=2"),
        ("train x --workers=2", "--set train.workers=2"),
        ("prepare x --workers 2", "--set prepare.workers=2"),
        ("evaluate x --workers 2", "--set evaluate.workers=2"),
        ("submit train x --workers 2", "--set train.workers=2"),
        ("train x --train.epochs 2", "--set train.epochs=2"),
        ("train x --max-steps 9", "--set train.max_steps=9"),
        ("train x --epoch 9", "--set train.epochs=9"),
        ("train x --compile", "--set train.compile=VALUE"),
        ("train x --compile --show", "--set train.compile=VALUE"),
        ("tune x --trials 4", "--set trials=4"),
        ("generate x --temprature 0.7", "--set evaluate.temperature=0.7"),
        ("evaluate x --epochs 2", "evaluate --help"),
        ("report x --workers 2", "report --help"),
        ("train x train.rows=3", "--set train.rows=3"),
        ("train x --shwo", "--show"),
        ("train x --sets a=1", "--set?"),
        ("trian x", "'train'"),
        ("train", "train --help"),
        ("train x y", "train --help"),
        ("train x --set", "'--set'"),
        ("help", "hrm-ray --help"),
        ("--workers 2", "--workers"),
        ("generate run --top 0", "--top"),
        ("generate run --top many", "many"),
    ],
)
def test_words_that_are_not_known_are_answered_with_those_that_are(say: Say, words: str, meant: str) -> None:
    said = say(*words.split())
    assert meant in said
    assert "pars" not in said


def test_no_word_at_all_is_answered_with_help(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["hrm-ray"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr()
    assert (ended.value.code, said.err) == (2, "")
    assert all(verb in said.out for verb in VERBS)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("experiment.yaml --set train.epochs=-1", "--set train.epochs: "),
        ("experiment.yaml --set train", "--set train: "),
        ("experiment.yaml --set =3", "--set: "),
        ("experiment.yaml --set train.=3", "--set train.: "),
        ("experiment.yaml --set train.rows:3", "--set train.rows: "),
        ("experiment.yaml --set data=[", "--set data: "),
        ("experiment.yaml --set train.workers.x=3", "--set train.workers.x: "),
        ("experiment.yaml --set train.workers=-1 --set train.rows=4", "--set train.workers: "),
        ("experiment.yaml --set train.workers=-1 --set train.workers=-1", "--set train.workers: "),
        ("experiment.yaml --set train.judge_rows=16 --set train.judge_rows=16", "--set train.judge_rows: train: "),
        ('experiment.yaml --set train={"rows":0} --set train.epochs=3', "--set train: "),
        ("experiment.yaml --set train.rows=32 --set train.judge_rows=32 --set seed=3", "--set train.judge_rows: "),
    ],
)
def test_the_override_to_blame_is_named(say: Say, words: str, named: str) -> None:
    assert say("train", *words.split()).startswith(named)


@pytest.mark.parametrize(
    "override", ["train.epochs=3", "model.hidden=3", "temperature=1", "evaluate.temprature=1", "data"]
)
def test_of_a_trained_run_little_may_be_set(say: Say, override: str) -> None:
    key = override.partition("=")[0]
    for words in (["evaluate", "run"], ["generate", "run"], ["export", "run", "--to", "x"]):
        assert say(*words, "--set", override).startswith(f"--set {key}")


def test_a_mistake_loads_nothing_heavy(say: Say, tmp_path: Path) -> None:
    commands = [
        [verb, thing, *(["--to", "x"] if verb == "export" else [])]
        for verb in VERBS
        for thing in ("experiment.yaml", "search.yaml", "run", "folder", "nowhere")
        if verb not in TAKES.get(thing, ())
    ]
    commands += [[verb, "experiment.yaml", "--set", "train.epochs=-1"] for verb in TAKES["experiment.yaml"]]
    commands += [["submit", verb, *words] for verb, *words in commands if verb in ("train", "tune", "evaluate")]
    commands += [["evaluate", "run", "--set", "train.epochs=1"], ["train", "x", "--workers", "2"]]
    commands += [["generate", "run", "--add"], ["generate", "run", "--title", " "]]
    code = (
        "import sys\nfrom hrm_ray import cli\n"
        f"for words in {commands}:\n"
        "    sys.argv = ['hrm-ray', *words]\n"
        "    try: cli.main()\n"
        "    except SystemExit as ended: assert ended.code == 2, words\n"
        "print([name for name in ('torch', 'ray', 'pyarrow', 'numpy', 'deepspeed') if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "[]", done.stderr
    assert len(done.stderr.splitlines()) == len(commands)
