"""Pure functions and their table tests, whose expected values come from running the function's tree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from tree_sitter import Node

from hrm_ray.collect.synthetic import interpreter
from hrm_ray.collect.synthetic.bodies_fields import measure, switch
from hrm_ray.collect.synthetic.drafts import Draft, Place, Written, block, finish, new_scope, parameters
from hrm_ray.collect.synthetic.grammar import Scope, condition, literal
from hrm_ray.collect.synthetic.interpreter import ImpureError, Scalar
from hrm_ray.collect.synthetic.tree import Function, Package, Splice, find, replace, splice, text
from hrm_ray.collect.synthetic.vocabulary import Domain, label, number, upper


def ladder(scope: Scope) -> Draft:
    """Two to four conditions, each with its answer."""
    rows = parameters(scope, 1, 3, ("int", "int", "string", "bool"))
    kind = scope.rng.choice(["int", "string"])
    lines: list[str] = []
    told: list[str] = []
    for _ in range(scope.rng.randint(2, 4)):
        said, answer = condition(scope), literal(scope, kind)
        if said is not None and f"if {said.code} {{" not in lines:
            lines += block(f"if {said.code}", [f"return {answer.code}"])
            told.append(f"{answer.words} when {said.words}")
    last = literal(scope, kind)
    noun = upper(scope.rng.choice(scope.domain.nouns)) + scope.rng.choice(["Class", "Tier", "Level", "Score", "Band"])
    return Draft(("classify", "grade", "rate"), noun, (kind,), (*lines, f"return {last.code}"),
                 f"returns {', '.join(told)}, else {last.words}", rows)  # fmt: skip


def pure_function(place: Place) -> Written:
    """A function whose result depends on its integers, strings and booleans only."""
    scope = new_scope(place)
    draft = place.rng.choice([ladder, ladder, measure, switch])(scope)
    return finish(place, scope, draft or ladder(scope), [])


@dataclass(frozen=True)
class Table:
    """A table test: the function under test, the list of cases, and the name of each case's title field."""

    path: str
    name: str
    function: Function
    cases: Node
    title: str


def tables(package: Package) -> list[Table]:
    """Every table test of the package whose function is in the package."""
    known = {each.name: each for each in package.code if each.receiver is None}
    found = []
    for test in package.functions:
        cases = next((node for node in find(test.body, "composite_literal") if _is_table(node)), None)
        if test.path.endswith("_test.go") and cases is not None:
            function = known.get(test.name.removeprefix("Test")) or known.get(_uncapital(test.name))
            title = text(find(cases, "field_identifier")[0])
            if function is not None:
                found.append(Table(test.path, test.name, function, cases.named_children[-1], title))
    return found


def _is_table(node: Node) -> bool:
    return text(node.child_by_field_name("type")).startswith("[]struct")


def _uncapital(name: str) -> str:
    name = name.removeprefix("Test")
    return name[:1].lower() + name[1:]


def known_constants(package: Package) -> dict[str, Scalar]:
    """Constants that are plain integers or strings."""
    values = {name: interpreter.constant(source) for name, source in package.constants.items()}
    return {name: value for name, value in values.items() if value is not None}


def inputs(rng: Random, domain: Domain, function: Function, constants: Mapping[str, Scalar]) -> list[Scalar]:
    """Arguments near the literals that the function compares with."""
    nodes = find(function.node, "int_literal", "interpreted_string_literal")
    literals = [interpreter.constant(text(node)) for node in nodes]
    named = [value for name, value in constants.items() if name in function.identifiers]
    numbers = [value for value in [*literals, *named] if isinstance(value, int)] or [1]
    texts = [value for value in literals if isinstance(value, str)]
    made: list[Scalar] = []
    for row in function.parameters:
        if row.type == "int":
            made.append(max(0, rng.choice([rng.choice(numbers) + rng.randint(-1, 1), number(rng)])))
        elif row.type == "bool":
            made.append(rng.random() < 0.5)
        else:
            made.append(rng.choice([*texts, *texts, label(rng, domain), ""]))
    return made


def go(value: Scalar) -> str:
    """A scalar as Go writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else str(value)


def case(rng: Random, domain: Domain, package: Package, function: Function, title: str) -> tuple[str, str] | None:
    """A line of the table and its title; None where the function cannot be run here."""
    constants = known_constants(package)
    given = inputs(rng, domain, function, constants)
    try:
        want = interpreter.call(function, constants, given)
    except ImpureError:
        return None
    rows = [(row.name, go(value)) for row, value in zip(function.parameters, given, strict=True)]
    told = " ".join(f"no {name}" if value == '""' else f"{name} {value.strip(chr(34))}" for name, value in rows)
    cells = [f'{title}: "{told}"', *(f"{name}: {value}" for name, value in rows), f"want: {go(want)}"]
    return f"{{{', '.join(cells)}}},", told


def table_test(rng: Random, domain: Domain, package: Package, function: Function) -> str | None:
    """A table test of two to four cases for a pure function; None where it cannot be run here."""
    taken = {row.name for row in function.parameters}
    title = rng.choice([name for name in ("name", "title", "desc", "scenario") if name not in taken])
    made = [case(rng, domain, package, function, title) for _ in range(rng.randint(2, 4))]
    cases = {each[1]: each[0] for each in made if each is not None}
    if not cases:
        return None
    rows = [
        f"{title} string",
        *(f"{row.name} {row.type}" for row in function.parameters),
        f"want {function.results[0]}",
    ]
    arguments = ", ".join(f"tt.{row.name}" for row in function.parameters)
    mark = "%q" if function.results[0] == "string" else "%d"
    checked = block(f"if got := {function.name}({arguments}); got != tt.want",
                    [f't.Errorf("{function.name}: got {mark}, want {mark}", got, tt.want)'])  # fmt: skip
    loop = block("for _, tt := range tests", [f"t.Run(tt.{title}, func(t *testing.T) {{", *_deeper(checked), "})"])
    lines = [*block("tests := []struct", rows)[:-1], "}{", *_deeper(list(cases.values())), "}", *loop]
    return "\n".join(block(f"func Test{upper(function.name)}(t *testing.T)", lines)) + "\n"


def _deeper(lines: list[str]) -> list[str]:
    return [f"\t{line}" for line in lines]


def refresh(package: Package) -> dict[str, str]:
    """Test files whose expected values no longer hold, with the values that do."""
    constants = known_constants(package)
    changes: dict[str, list[Splice]] = {}
    for table in tables(package):
        for row in table.cases.named_children:
            cells = {text(each.child_by_field_name("key")): each for each in find(row, "keyed_element")}
            wanted = cells["want"].child_by_field_name("value")
            try:
                want = go(interpreter.call(table.function, constants, _arguments(table.function, cells)))
            except ImpureError:
                continue
            if wanted is not None and want != text(wanted):
                changes.setdefault(table.path, []).append(replace(wanted, want))
    return {path: splice(package.files[path], splices) for path, splices in changes.items()}


def _arguments(function: Function, cells: Mapping[str, Node]) -> list[Scalar]:
    """The arguments of one case; ImpureError where one is no literal."""
    found: list[Scalar] = []
    for row in function.parameters:
        source = text(cells[row.name].child_by_field_name("value"))
        value = source == "true" if row.type == "bool" else interpreter.constant(source)
        if value is None:
            raise ImpureError(source)
        found.append(value)
    return found
