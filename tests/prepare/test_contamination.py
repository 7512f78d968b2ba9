"""Examples that share a run of words with an evaluation task are found, boilerplate is not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hrm_ray.errors import UserError
from hrm_ray.prepare.contamination import is_contaminated, read_tasks
from tests.prepare.factory import example

SOLUTION = """func HasCloseElements(numbers []float64, threshold float64) bool {
	for i := 0; i < len(numbers); i++ {
		for j := i + 1; j < len(numbers); j++ {
			var distance float64 = math.Abs(numbers[i] - numbers[j])
			if distance < threshold {
				return true
			}
		}
	}
	return false
}"""
PROMPT = "Check if in given list of numbers, are any two numbers closer to each other than given threshold."


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> frozenset[str]:
    path = tmp_path_factory.mktemp("tasks") / "tasks.jsonl"
    tasks = [{"id": "Go/0", "prompt": PROMPT, "nested": {"solutions": [SOLUTION]}}, {"id": "Go/1", "prompt": "Short."}]
    path.write_text("\n".join(map(json.dumps, tasks)) + "\n\n")
    return read_tasks([path], 13).runs


@pytest.mark.parametrize("section", ["title", "body", "before", "anchor", "code"])
def test_any_section_that_holds_a_task_is_found(section: str, runs: frozenset[str]) -> None:
    assert is_contaminated(example(**{section: f"// copied\n{SOLUTION}\n"}), runs, 13)
    assert is_contaminated(example(**{section: f"Please: {PROMPT.upper()}"}), runs, 13)
    assert not is_contaminated(example(**{section: "func Other() {}"}), runs, 13)


def test_layout_and_punctuation_do_not_hide_a_task(runs: frozenset[str]) -> None:
    assert is_contaminated(example(code=SOLUTION.replace("\n\t", "\n        // \n")), runs, 13)


def test_a_run_shorter_than_asked_for_is_no_overlap(runs: frozenset[str]) -> None:
    twelve = " ".join(PROMPT.split()[:12])
    assert not is_contaminated(example(body=twelve), runs, 13)
    assert is_contaminated(example(body=" ".join(PROMPT.split()[:13])), runs, 13)


def test_boilerplate_that_repeats_a_few_words_is_no_overlap(tmp_path: Path) -> None:
    boilerplate = "if err != nil {\n\treturn nil, err\n}\n" * 6
    (tmp_path / "t.jsonl").write_text(json.dumps({"code": boilerplate}))
    assert read_tasks([tmp_path / "t.jsonl"], 13).runs == frozenset()
    assert not is_contaminated(example(code=boilerplate), read_tasks([tmp_path / "t.jsonl"], 13).runs, 13)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("[" * 100_000, r"t\.jsonl:1: not JSON, or nested too deeply"),
        ('{"a": "b"}\n{"a": \n', r"t\.jsonl:2: not JSON"),
        ('["a"]\n', r't\.jsonl:1: .* \["a"\]'),
    ],
)
def test_a_line_that_is_no_task_is_named(content: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text(content)
    with pytest.raises(UserError, match=sentence):
        read_tasks([tmp_path / "t.jsonl"], 13)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.jsonl: the evaluation tasks cannot be read"):
        read_tasks([tmp_path / "none.jsonl"], 13)
