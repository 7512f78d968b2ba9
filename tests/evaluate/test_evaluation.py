"""A whole evaluation of a really trained run."""

from __future__ import annotations

import copy
import json
import math
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from hrm_ray import settings
from hrm_ray.config import Config
from hrm_ray.errors import UserError
from hrm_ray.evaluate import cache, command, evaluation, generation, judgement, losses, tasks
from hrm_ray.evaluate.generation import Request, score
from hrm_ray.evaluate.measured import in_words
from hrm_ray.evaluate.opened import Opened, open_run
from hrm_ray.files import locked, write_text
from hrm_ray.model.generate import Written
from hrm_ray.model.refinement import FEEDBACK
from hrm_ray.prepare.judgements import Decision
from hrm_ray.prepare.tokenizer import Control
from hrm_ray.progress import bars
from hrm_ray.settings import ConfigError
from hrm_ray.train import checkpoint
from hrm_ray.train.checkpoint import Loaded
from hrm_ray.train.run import read_run
from hrm_ray.train.validate import balanced_log_loss, document_log_likelihoods, judge_log_probabilities


@pytest.fixture(scope="session")
def opened(smoke: Config) -> Opened:
    return open_run(smoke.run_dir, read_run(smoke.run_dir, ["evaluate.split=validation"]))


@pytest.fixture(scope="session")
def evaluated(smoke: Config) -> Path:
    command.evaluate_all(smoke.run_dir, [])
    return smoke.run_dir


def test_the_averaged_weights_are_evaluated(smoke: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    honest, average = checkpoint.best, torch.ones(())

    def best(root: Path, say: Callable[[str], None]) -> Loaded | None:
        loaded = honest(root, say)
        assert loaded is not None
        shape = loaded.weights["embedding.weight"].shape
        return replace(loaded, moments=loaded.moments | {"ema.embedding.weight": average.expand(shape)})

    monkeypatch.setattr(checkpoint, "best", best)
    opened = open_run(smoke.run_dir, read_run(smoke.run_dir, ["evaluate.split=validation"]))
    held = {name: bool((tensor == average).all()) for name, tensor in opened.engine.model.state_dict().items()}
    assert [name for name, is_average in held.items() if is_average] == ["embedding.weight"]


def test_a_run_that_was_trained_compiled_needs_no_compiler_here(smoke: Config) -> None:
    config = read_run(smoke.run_dir)
    opened = open_run(
        smoke.run_dir, config.model_copy(update={"train": config.train.model_copy(update={"compile": True})})
    )
    assert not any("before" in vars(block) for block in opened.engine.model.planner.blocks)


def read(run_dir: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run_dir / "evaluation.json").read_text())
    return found


def test_everything_is_measured_for_the_run_and_its_baseline(evaluated: Path) -> None:
    twin = evaluated / "baselines" / "equal_parameters"
    for folder, role in ((evaluated, "main"), (twin, "equal_parameters")):
        found = read(folder)
        assert found["role"] == role
        assert found["synthetic"] is True
        assert found["split"] == "test"
        bits, written = found["losses"], found["generation"]
        assert bits["examples"] > 0
        assert 0 < bits["code_bits_per_byte"] < math.log2(1024)
        assert bits["plan_and_code_bits_per_code_byte"] > bits["code_bits_per_byte"]
        assert written["all"]["count"] == written["added"]["count"] + written["modified"]["count"]
        table = found["decisions"]["constructed"]["shown"]
        assert sum(map(sum, table["confusion"])) == table["count"] > 0
        assert found["tasks"] is None
    assert read(evaluated)["parameters"] == read(twin)["parameters"]
    assert read(twin)["ngram"] is None
    assert read(twin)["probes"] == {"states": [], "without": {}}


def test_the_ngram_model_has_the_same_rows_and_measures(evaluated: Path) -> None:
    found = read(evaluated)
    counted = found["ngram"]
    assert counted["tokens"] > 0
    assert 0 < counted["losses"]["code_bits_per_byte"] < math.log2(1024)
    for part in ("all", "added", "modified"):
        assert counted["generation"][part].keys() == found["copying"][part].keys() == found["generation"][part].keys()
        assert counted["generation"][part]["count"] == found["generation"][part]["count"]
        assert counted["generation"][part]["copy_edit_similarity"] == found["generation"][part]["copy_edit_similarity"]


def test_copying_the_input_improves_nothing_and_stands_beside_the_networks(evaluated: Path) -> None:
    found = read(evaluated)
    for part in ("all", "added", "modified"):
        written, copied = found["generation"][part], found["copying"][part]
        assert (copied["count"], copied["improved_share"], copied["copy_share"]) == (written["count"], 0, 1)
        assert copied["edit_similarity"] == pytest.approx(written["copy_edit_similarity"])
    columns = command.comparison({"main": found} | command.references(found)).columns
    assert [column.header for column in columns] == ["", "main", "5-gram", "copying"]
    assert list(command.references(found | {"ngram": None})) == ["copying"]


def test_the_last_state_has_the_bits_of_the_split(evaluated: Path) -> None:
    found = read(evaluated)
    last = found["probes"]["states"][-1]
    assert (last["state"], last["code_bits_per_byte"]) == ("z_H", pytest.approx(found["losses"]["code_bits_per_byte"]))
    assert set(found["probes"]["without"]) == {"planner", "coder"}
    assert found["losses"]["predicted_plan"]["examples"] == found["generation"]["all"]["count"]
    assert found["consistency"]["losses"].keys() <= {"plan_loss", "code_loss", "refinement_loss"}


def test_of_the_test_fold_the_whole_validation_fold_is_told_too(evaluated: Path, smoke: Config) -> None:
    config = read_run(evaluated, ["evaluate.split=validation"])
    opened = open_run(evaluated, config)
    nats, _ = losses.read(opened)
    told = read(evaluated)["validation"]
    assert told == pytest.approx(nats.summary(range(len(opened.solve))))
    assert told != pytest.approx({name: read(evaluated)["losses"][name] for name in told})
    assert losses.validation(opened) is None
    assert read(evaluated / "baselines" / "equal_parameters")["validation"] is None


def test_every_document_has_its_losses_and_they_are_those_of_the_split(evaluated: Path) -> None:
    lines = [json.loads(line) for line in (evaluated / "losses.jsonl").read_text().splitlines()]
    found = read(evaluated)["losses"]
    assert len({line["id"] for line in lines}) == found["examples"]
    for nats, size, told in (
        ("plan_nats", "plan_bytes", "plan_bits_per_byte"),
        ("code_nats", "code_bytes", "code_bits_per_byte"),
        ("code_nats_no_plan", "code_bytes", "code_bits_per_byte_no_plan"),
    ):
        bits = sum(line[nats] for line in lines) / math.log(2)
        assert bits / sum(line[size] for line in lines) == pytest.approx(found[told])


def test_a_run_is_evaluated_by_one_process_at_a_time(evaluated: Path) -> None:
    with locked(evaluated / cache.FOLDER), pytest.raises(UserError, match="another process is working in it"):
        command.evaluate_all(evaluated, [])


def test_what_lies_beside_an_evaluation_is_of_the_same(
    smoke: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between its files, an evaluation leaves none that could be taken for the older one's."""
    run, settings = tmp_path / "run", ["evaluate.split=validation", "evaluate.generations=2"]
    shutil.copytree(smoke.run_dir, run)
    shutil.rmtree(run / "baselines")
    command.evaluate_all(run, settings)
    monkeypatch.setattr(generation, "records", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        command.evaluate_all(run, [*settings, "evaluate.temperature=0.7"])
    assert read(run)["generation"]["temperature"] == 0
    monkeypatch.undo()

    def die(path: Path, text: str) -> None:
        if path.name == "evaluation.json":
            raise KeyboardInterrupt
        write_text(path, text)

    monkeypatch.setattr(evaluation, "write_text", die)
    with pytest.raises(KeyboardInterrupt):
        command.evaluate_all(run, [*settings, "evaluate.temperature=0.7"])
    assert not (run / "evaluation.json").exists()


def test_a_network_that_has_diverged_is_not_evaluated(opened: Opened) -> None:
    broken = copy.deepcopy(opened.engine)
    torch.nn.init.constant_(broken.model.embedding.weight, math.nan)
    with pytest.raises(UserError, match=f"the network of step {opened.step} gives losses that are not finite"):
        losses.read(replace(opened, engine=broken))


def test_tasks_are_written_by_whoever_writes(evaluated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def measure(opened: Opened, advance: object, fill: cache.Fill) -> None:
        assert fill is nobody
        raise InterruptedError

    def nobody(network: object, pieces: object, ended: object) -> None: ...

    monkeypatch.setattr(tasks, "measure", measure)
    with pytest.raises(InterruptedError), bars() as progress:
        evaluation.evaluate(evaluated, read_run(evaluated), progress, evaluation.Hands(fill=nobody))


def test_generations_have_a_line_each(evaluated: Path) -> None:
    lines = [json.loads(line) for line in (evaluated / "generations.jsonl").read_text().splitlines()]
    assert len(lines) == read(evaluated)["generation"]["all"]["count"]
    for line in lines:
        assert line["valid"] == (line["diagnostic"] is None)
        assert line["decision"] in judgement.LABELS
        assert line["code"] != ""
        assert not line["improved"] or line["valid"]


def test_reads_of_the_test_fold_are_counted(evaluated: Path, smoke: Config) -> None:
    reads = (smoke.data / "test_reads.jsonl").read_text().splitlines()
    assert read(evaluated)["test_reads"] <= len(reads)
    assert read(evaluated)["test_reads"] + 1 == read(evaluated / "baselines" / "equal_parameters")["test_reads"]


def test_greedy_evaluation_is_repeatable(evaluated: Path) -> None:
    before = (evaluated / "generations.jsonl").read_text()
    shutil.rmtree(evaluated / cache.FOLDER)
    command.evaluate_all(evaluated, [])
    assert (evaluated / "generations.jsonl").read_text() == before


def test_likelihoods_are_those_of_the_documents(opened: Opened) -> None:
    documents = [opened.solve.document(index) for index in range(3)]
    together = document_log_likelihoods(opened.engine, documents, opened.tokens)
    alone = [document_log_likelihoods(opened.engine, [document], opened.tokens)[0] for document in documents]
    assert together == pytest.approx(alone, rel=1e-4)
    assert all(-20 < value < 0 for value in together)


def test_judge_documents_end_in_the_judge_token(opened: Opened) -> None:
    document = opened.judge.document(0, hidden=True)
    assert (document.prefix[-1], document.code[-2], document.code[-1]) == (Control.DIRECT, Control.END, Control.JUDGE)
    rows = judge_log_probabilities(opened.engine, [document] * 2, opened.tokens)
    torch.testing.assert_close(rows.exp().sum(1), torch.ones(2))


def test_confusion_and_balanced_accuracy_by_hand() -> None:
    labels, predicted = torch.tensor([0, 0, 1, 1, 1, 1]), torch.tensor([0, 1, 1, 1, 1, 0])
    confusion = judgement.confusion_matrix(labels, predicted)
    assert confusion.tolist() == [[1, 1, 0], [1, 3, 0], [0, 0, 0]]
    assert judgement.balanced_accuracy(confusion) == pytest.approx((1 / 2 + 3 / 4) / 2)
    assert judgement.balanced_accuracy(torch.zeros(3, 3, dtype=torch.int64)) is None
    assert judgement.balanced_accuracy(torch.tensor([[5, 1, 0], [0, 0, 0], [0, 0, 0]])) is None


def test_only_valid_attempts_are_told_apart() -> None:
    labels, done = torch.tensor([2, 1, 0, 2]), torch.tensor([-0.1, -2.0, 0.0, -0.5])
    found = judgement.beyond_validity(labels, done, [-3.0, -1.0, 0.0, -2.0], "abcd")
    assert found == {
        "done_auc_among_valid": 1.0,
        "done_auc_interval": None,
        "likelihood_auc_among_valid": 0.0,
        "rivals": {},
        "strongest_rival": "likelihood",
        "done_auc_lead": 0.0,
        "done_auc_lead_interval": None,
    }


def test_a_lead_over_the_likelihood_pairs_what_both_say_of_a_pull_request() -> None:
    """Both err on the same pull requests, so that the lead is known better than either area."""
    random = np.random.default_rng(1)
    labels = torch.tensor([1, 2] * 60)
    common = random.normal(size=120) + np.tile([0.0, 1.0], 60)
    head, likelihood = common + np.tile([0.0, 0.4], 60), -common
    found = judgement.beyond_validity(labels, torch.tensor(head), likelihood.tolist(), [at // 4 for at in range(120)])
    assert found["done_auc_lead"] == pytest.approx(
        found["done_auc_among_valid"] - (1 - found["likelihood_auc_among_valid"])
    )
    (low, high), (least, most) = found["done_auc_interval"], found["done_auc_lead_interval"]
    assert low < found["done_auc_among_valid"] < high
    assert 0 < least < found["done_auc_lead"] < most
    assert most - least < (high - low) / 2


def test_recalls_are_of_the_classes_that_three_pull_requests_have() -> None:
    labels, predicted = torch.tensor([0, 1, 2] * 8), torch.tensor([0, 1, 2, 0, 1, 1, 2, 1, 2, 0, 0, 2] * 2)
    found = judgement.recalls(labels, predicted, [at // 3 for at in range(24)])
    assert (found["balanced_accuracy"], found["balanced_accuracy_of_a_guess"]) == (0.75, 1 / 3)
    low, high = found["balanced_accuracy_interval"]
    assert 0.5 < low < 0.75 < high < 1
    some = judgement.recalls(labels, predicted, [at // 3 if at % 3 else 0 for at in range(24)])
    assert (some["balanced_accuracy"], some["balanced_accuracy_of_a_guess"]) == (0.75, 1 / 2)  # 6 of 8, and 6 of 8
    none = judgement.recalls(labels, predicted, labels.tolist())
    names = ("balanced_accuracy", "balanced_accuracy_interval", "balanced_accuracy_of_a_guess")
    assert [none[name] for name in names] == [None] * 3


@pytest.mark.parametrize("constant", [0, 1, 2])
def test_one_decision_for_all_is_no_better_than_a_guess(constant: int) -> None:
    labels = torch.tensor([0, 1, 2] * 40)
    found = judgement.recalls(labels, torch.full_like(labels, constant), [at // 3 for at in range(120)])
    assert found["balanced_accuracy_interval"] == pytest.approx([1 / 3] * 2)
    assert not found["balanced_accuracy_interval"][0] > found["balanced_accuracy_of_a_guess"]


def test_judge_documents_are_clustered_by_their_pull_requests(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    told = list[list[object]]()
    monkeypatch.setattr(judgement, "both_ways", lambda _, judged: told.append([one.pull for one in judged]))
    judgement.measure(opened, [])
    shards = opened.solve.shards
    examples = {one.id: (one.repository, one.number) for one in map(shards.example, range(len(shards)))}
    assert (
        told[0] == [examples[str(one)] for one in opened.judge.shards.column("example_id").to_pylist()][: len(told[0])]
    )
    assert len(set(told[0])) > 1


def test_the_log_loss_is_balanced() -> None:
    log_probabilities = torch.tensor([[0.5, 0.25, 0.25]] * 9 + [[0.5, 0.25, 0.25]]).log()
    labels = torch.tensor([0] * 9 + [1])
    assert balanced_log_loss(log_probabilities, labels) == pytest.approx((math.log(2) + math.log(4)) / 2)
    assert balanced_log_loss(log_probabilities[:0], labels[:0]) is None


def test_generate_shows_what_was_written(smoke: Config, capsys: pytest.CaptureFixture[str]) -> None:
    command.show_generated(smoke.run_dir, ["evaluate.temperature=0.7", "evaluate.max_code_tokens=16"])
    printed = capsys.readouterr().out
    assert printed.count("reference") >= command.SHOWN
    assert "improved:" in printed
    assert all(line.startswith(("@@", "+", "-", " ", "nothing")) for line in diffs(printed))


def diffs(printed: str) -> list[str]:
    """Return the lines of references that are modifications."""
    parts = [part.split("; improved")[0].splitlines()[1:-1] for part in printed.split("\nreference\n")[1:]]
    return [line for part in parts if part and part[0].startswith("@@") for line in part]


def test_what_is_measured_of_the_checkpoint_is_said_before_what_it_writes(smoke: Config, tmp_path: Path) -> None:
    shutil.copytree(smoke.run_dir, run := tmp_path / "run")
    network = open_run(run, read_run(run))
    generated = {"count": 40, "valid_share": 0.5, "improved_share": 0.025, "finished_share": 1.0}
    for step, said in ((network.step, True), (network.step + 1, False)):
        found = {"checkpoint": {"step": step}, "split": "test", "generation": {"all": generated}}
        (run / "evaluation.json").write_text(json.dumps(found))
        assert all(figure in in_words(network) for figure in ("40 test", "50.0%", "2.5%", "100.0%")) == said
        assert f"{network.step} steps" in in_words(network)


def test_the_label_of_a_generated_attempt_agrees_with_its_feedback(opened: Opened) -> None:
    """A valid type where a function was added is a wrong plan, not broken Go: REFINE."""
    row = next(i for i in range(len(opened.solve)) if opened.solve.shards.example(i).kinds == ("function",))
    code = "type X struct {\n\ta, b, c, d int\n}"
    written = Written(code=opened.tokenizer.encode(code), finished=True)
    made = score(row, opened.solve.shards.example(row), written, "add type X", code)
    document = judgement.labelled(opened, made)
    assert document is not None
    assert (document.decision, FEEDBACK[document.feedback]) == (Decision.REFINE, "valid")


def test_a_trained_network_cannot_be_changed_and_the_test_fold_is_not_shown(smoke: Config) -> None:
    with pytest.raises(ConfigError, match=r"--set model\.hidden: .* evaluate, data"):
        command.evaluate_all(smoke.run_dir, ["model.hidden=32"])
    with pytest.raises(ConfigError, match="which counts its reads"):
        command.show_generated(smoke.run_dir, ["evaluate.split=test"])


def test_another_dataset_in_the_same_place_is_refused(smoke: Config, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(smoke.run_dir, run)
    record = run / "run.json"
    record.write_text(json.dumps(json.loads(record.read_text()) | {"dataset_hash": "0"}))
    with pytest.raises(UserError, match="is not the dataset that"):
        command.evaluate_all(run, [])


def test_repetitions_are_evaluated_and_what_has_no_checkpoint_is_left_out(
    smoke: Config, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    shutil.copytree(smoke.run_dir, run)
    shutil.rmtree(run / "baselines" / "equal_parameters" / "checkpoints")
    for number in ("10", "2"):
        shutil.copytree(run, run / "seeds" / number, ignore=shutil.ignore_patterns("seeds", "evaluation.json"))
    shutil.rmtree(run / "seeds" / "10" / "checkpoints")
    command.evaluate_all(run, ["evaluate.split=validation", "evaluate.generations=2"])
    left_out = re.findall(r"run/(\S+): left out, it has no checkpoint", "".join(capsys.readouterr().out.split("\n")))
    assert left_out == [f"{one}baselines/equal_parameters" for one in ("", "seeds/2/")] + [
        "seeds/10",
        "seeds/10/baselines/equal_parameters",
    ]
    assert read(run)["test_reads"] is None
    assert read(run / "seeds" / "2")["losses"] == read(run)["losses"]


def test_tasks_that_are_left_out_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tasks = {"count": 0, "left_out": {"t/2": "its reference: failed"}}
    found = {"role": "main", "ngram": None, "copying": {}, "tasks": tasks}
    monkeypatch.setattr(command, "read_run", lambda *_: settings.parse({"name": "t", "data": "none"}, "test"))
    monkeypatch.setattr(command, "evaluate", lambda *_: found)
    command.evaluate_all(tmp_path, [])
    assert "task t/2 is left out: its reference: failed\n" in capsys.readouterr().out


def test_what_is_no_run_is_named(tmp_path: Path, smoke: Config) -> None:
    with pytest.raises(ConfigError, match=f"{tmp_path}: not a run folder"):
        command.evaluate_all(tmp_path, [])
    for name in ("config.yaml", "run.json"):
        shutil.copy(smoke.run_dir / name, tmp_path)
    with pytest.raises(UserError, match="no checkpoint yet"):
        command.evaluate_all(tmp_path, [])


def test_too_many_rows_for_the_memory_are_told_with_the_setting(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    def greedy(*_: object, **__: object) -> None:
        torch.empty(1 << 60, dtype=torch.uint8)

    monkeypatch.setattr(generation, "generate", greedy)
    for batch, advised in ((32, "batch=16"), (1, "max_code_tokens=SMALLER")):
        evaluate = opened.config.evaluate.model_copy(update={"batch": batch})
        network = replace(opened, config=opened.config.model_copy(update={"evaluate": evaluate}))
        with pytest.raises(UserError, match=f"out of memory on cpu, writing {batch} changes.*evaluate.{advised}"):
            generation.write(network, [Request([1], "a")])
    monkeypatch.setattr(generation, "generate", lambda *_, **__: torch.ones(2) @ torch.ones(3))
    with pytest.raises(RuntimeError, match="size"):
        generation.write(opened, [Request([1], "a")])
