"""HumanEval-X's Go tasks as tasks of ours: `python -m hrm_ray.evaluate.humaneval_x humaneval_go.jsonl tasks.jsonl`.

Of its fields (arXiv 2303.17568) `task_id`, `prompt`, `declaration`, `canonical_solution` and `test` are read. Its tests
ask testify, which no sandbox has: they get the few assertions that they use from a variable of the same name.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter

from hrm_ray.errors import UserError
from hrm_ray.evaluate.task import Task
from hrm_ray.files import write_text
from hrm_ray.prepare.jsonl import rows

ASSERT = """
type testify struct{ t *testing.T }

var assert testify

func (testify) New(t *testing.T) testify { return testify{t} }

func (a testify) check(right bool, told ...any) {
	a.t.Helper()
	if !right {
		a.t.Error(told...)
	}
}

func (a testify) Equal(want, got any, _ ...any) { a.check(reflect.DeepEqual(want, got), "want", want, "got", got) }

func (a testify) NotEqual(other, got any, _ ...any) { a.check(!reflect.DeepEqual(other, got), "got", got) }

func (a testify) True(got bool, _ ...any) { a.check(got, "got false") }

func (a testify) False(got bool, _ ...any) { a.check(!got, "got true") }

func (a testify) Nil(got any, _ ...any) { a.check(isNil(got), "got", got) }

func (a testify) NotNil(got any, _ ...any) { a.check(!isNil(got), "got nil") }

func (a testify) InDelta(want, got, delta float64, _ ...any) {
	a.check(math.Abs(want-got) <= delta, "want", want, "got", got)
}

func isNil(got any) bool {
	if got == nil {
		return true
	}
	value := reflect.ValueOf(got)
	return value.Kind() >= reflect.Chan && value.Kind() <= reflect.Slice && value.IsNil()
}
"""

_COMMENT = re.compile(r"^[ \t]*//[ \t]?(.*)$", re.MULTILINE)
_FUNCTION = re.compile(r"^func\s+(\w+)", re.MULTILINE)


@dataclass(frozen=True)
class Row:
    """What is read of a line."""

    task_id: str
    prompt: str
    declaration: str
    canonical_solution: str
    test: str


def converted(row: Row) -> Task:
    """Return a row as a task; functions that its declaration has before the one that is asked for go to the tests.

    Raises:
        UserError: it declares no function.
    """
    starts = list(_FUNCTION.finditer(row.declaration))
    if not starts:
        raise UserError(f"{row.task_id}: its declaration is no function")
    name, start = starts[-1][1], starts[-1].start()
    helpers, head = row.declaration[:start], row.declaration[start:]
    said = "\n".join(_COMMENT.findall(row.prompt))
    return Task(
        id=row.task_id,
        prompt=f"Add {name}\n{said}\n{head.strip().removesuffix('{').rstrip()}",
        tests=f"{helpers.lstrip()}{ASSERT}\n{row.test}",
        entry_point=name,
        reference=head + row.canonical_solution,
    )


def convert(source: Path, to: Path) -> int:
    """Write a file of tasks from one of HumanEval-X, and return how many there are.

    Raises:
        UserError: the file cannot be read, or a line lacks a field.
    """
    tasks = [converted(row) for row in rows(source, TypeAdapter(Row))]
    write_text(to, "".join(json.dumps(asdict(task), ensure_ascii=False) + "\n" for task in tasks))
    return len(tasks)


def main(arguments: list[str]) -> int:
    """Convert as the command line says, and return the exit code."""
    if len(arguments) != 2:
        print("usage: python -m hrm_ray.evaluate.humaneval_x FROM.jsonl TO.jsonl", file=sys.stderr)
        return 2
    try:
        print(f"{arguments[1]}: {convert(*map(Path, arguments))} tasks")
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
