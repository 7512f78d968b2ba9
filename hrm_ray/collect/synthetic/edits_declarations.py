"""Edits that add or change declarations: functions, types, fields, constants, locks, tests."""

from __future__ import annotations

from tree_sitter import Node

from hrm_ray.collect.synthetic.drafts import Place, Written
from hrm_ray.collect.synthetic.edits_base import Edit, edited, edited_files, open_with, pick
from hrm_ray.collect.synthetic.grammar import SCALARS, Scope, literal
from hrm_ray.collect.synthetic.packages import (
    append,
    constant_name,
    constructor_test,
    constructor_text,
    new_field,
    new_struct,
    source_path,
    struct_text,
    write_function,
)
from hrm_ray.collect.synthetic.tables import case, pure_function, table_test, tables
from hrm_ray.collect.synthetic.tree import (
    Function,
    Package,
    Splice,
    Struct,
    find,
    insert,
    parse,
    replace,
    text,
)
from hrm_ray.collect.synthetic.vocabulary import camel, fresh, upper, words


def _difference(before: Package, after: Package) -> dict[str, str]:
    return {path: source for path, source in after.files.items() if before.files.get(path) != source}


def _facts(written: Written) -> dict[str, str]:
    detail = f" It {written.details[0]}." if written.details else ""
    return {"label": written.label, "summary": written.summary, "detail": detail}


def add_method(place: Place) -> Edit | None:
    """A new method after the last one of its struct."""
    struct = pick(place, place.package.structs)
    if struct is None:
        return None
    written = write_function(Place(place.rng, place.domain, place.package, struct))
    own = [each for each in place.package.code if each.path == struct.path]
    return Edit(_insert_after(place, struct.path, pick(place, own), written.text), _facts(written))


def add_function(place: Place) -> Edit | None:
    """A new function after another one, or at the end of a file."""
    written = write_function(place)
    path = pick(place, sorted(path for path in place.package.files if not path.endswith("_test.go")))
    own = [each for each in place.package.code if each.path == path]
    return Edit(_insert_after(place, path, pick(place, own), written.text), _facts(written)) if path else None


def _insert_after(place: Place, path: str, earlier: Function | None, declaration: str) -> dict[str, str]:
    if earlier is None:
        return _difference(place.package, append(place.package, path, declaration))
    return edited(place.package, path, [insert(earlier.node.end_byte, f"\n\n{declaration.rstrip()}")])


def add_type(place: Place) -> Edit | None:
    """A new struct in a file of its own, with constructor, a method, and sometimes a test."""
    rng, domain, package = place.rng, place.domain, place.package
    struct = new_struct(rng, domain, package)
    path = source_path(package, struct.name)
    if path in package.files:
        return None
    after = append(package, path, struct_text(rng, domain, struct))
    after = append(after, path, constructor_text(rng, struct))
    written = write_function(Place(rng, domain, after, struct))
    after = append(after, path, written.text)
    if rng.random() < 0.5:
        test = constructor_test(rng, domain, after, struct)
        after = append(after, source_path(package, struct.name, test=True), test)
    kept = " and ".join(words(each.name) for each in struct.fields[:3])
    return Edit(_difference(package, after), {**_facts(written), "type": struct.name, "fields": kept})


def add_tested_function(place: Place) -> Edit | None:
    """A pure function with its table test."""
    package = place.package
    written = pure_function(place)
    path = pick(place, sorted(path for path in package.files if not path.endswith("_test.go")))
    assert path is not None
    after = append(package, path, written.text)
    function = next(each for each in after.code if each.name == written.name)
    test = table_test(place.rng, place.domain, after, function)
    if test is None:
        return None
    return Edit(_difference(package, append(after, path.replace(".go", "_test.go"), test)), _facts(written))


def add_case(place: Place) -> Edit | None:
    """One or two more cases for a table test."""
    table = pick(place, tables(place.package))
    if table is None:
        return None
    made = [
        case(place.rng, place.domain, place.package, table.function, table.title)
        for _ in range(place.rng.randint(1, 2))
    ]
    lines = {each[1]: each[0] for each in made if each is not None and f'"{each[1]}"' not in text(table.cases)}
    if not lines or not table.cases.named_children:
        return None
    end = table.cases.named_children[-1].end_byte + 1
    rows = "".join(f"\n\t\t{line}" for line in lines.values())
    facts = {"label": table.function.label, "test": table.name, "case": " and ".join(lines)}
    return Edit(edited(place.package, table.path, [insert(end, rows)]), facts)


def add_constructor_test(place: Place) -> Edit | None:
    """A test for a constructor that has none."""
    named = {each.name for each in place.package.functions}
    found = [
        each for each in place.package.structs if f"New{each.name}" in named and f"TestNew{each.name}" not in named
    ]
    struct = pick(place, found)
    made = next((each for each in place.package.code if struct and each.name == f"New{struct.name}"), None)
    if struct is None or made is None or not _keeps_all(struct, made):
        return None
    test = constructor_test(place.rng, place.domain, place.package, struct)
    kept = " and ".join(words(row.name) for row in made.parameters)
    after = append(place.package, source_path(place.package, struct.name, test=True), test)
    return Edit(_difference(place.package, after), {"label": f"New{struct.name}", "fields": kept})


def _keeps_all(struct: Struct, made: Function) -> bool:
    """Whether every parameter is a field of the same name that a test can compare."""
    kept = {row for row in struct.fields if row.type in ("int", "string", "bool")}
    return set(made.parameters) <= kept


def add_field(place: Place) -> Edit | None:
    """A new field that the constructor takes, or fills with a default; callers follow."""
    found = [(struct, made, cells) for struct in place.package.structs if len(struct.fields) < 10
             for made, cells in _constructors(place.package, struct)]  # fmt: skip
    chosen = pick(place, found)
    if chosen is None or chosen[0].node is None:
        return None
    struct, made, cells = chosen
    kind = place.rng.choice([each for each in SCALARS if each != "time.Time"])
    field = new_field(place.rng, place.domain, place.package, struct.fields, kind)
    if field.name in {row.name for row in made.parameters}:
        return None
    value = literal(Scope(place.rng, place.domain, place.package, []), kind)
    rows = struct.node
    assert rows is not None
    reason = place.rng.choice(["unless told otherwise", "by default", "where nobody sets it", "at first"])
    comment = f"\t// {field.name} of the {place.rng.choice(place.domain.nouns)}; {value.words} {reason}.\n"
    comment = comment if place.rng.random() < 0.75 else ""
    splices = [(struct.path, insert(rows.end_byte - 1, f"{comment}\t{field.name} {kind}\n"))]
    taken = place.rng.random() < 0.6
    code = field.name if taken else value.code.replace("*", " * ")
    splices.append((made.path, insert(cells.end_byte - 1, f"\t{field.name}: {code},\n\t")))
    if taken:
        parameters = made.node.child_by_field_name("parameters")
        assert parameters is not None
        splices.append((made.path, insert(parameters.end_byte - 1, f", {field.name} {kind}")))
        splices += _arguments(place.package, made.name, value.code)
    how = "taken by the constructor" if taken else f"{value.words} by default"
    facts = {
        "label": made.label,
        "type": struct.name,
        "name": field.name,
        "kind": kind,
        "how": how,
        "value": value.words,
    }
    return Edit(edited_files(place.package, splices), facts)


def _constructors(package: Package, struct: Struct) -> list[tuple[Function, Node]]:
    """(constructor, the braces of its composite literal), where it has cells on lines of their own."""
    found = []
    for made in package.code:
        if made.name == f"New{struct.name}" and made.parameters:
            bodies = [node.child_by_field_name("body") for node in find(made.body, "composite_literal")]
            found += [(made, body) for body in bodies[:1] if body is not None and "\n" in text(body)]
    return found


def _arguments(package: Package, name: str, code: str) -> list[tuple[str, Splice]]:
    rows = [(path, call.child_by_field_name("arguments")) for path, call in package.calls(name)]
    return [(path, insert(row.end_byte - 1, f", {code}")) for path, row in rows if row is not None]


def guard_field(place: Place) -> Edit | None:
    """A mutex for a field, held by every method that touches it and calls no other method."""
    found = []
    for struct in place.package.structs:
        if not any(row.type.startswith("sync.") for row in struct.fields):
            for row in struct.fields:
                users = _users(place.package, struct, row.name)
                if users and all(_leaf(place.package, each) for each in users) and len(users) <= 2:
                    found.append((struct, row, users))
    chosen = pick(place, [each for each in found if len(each[2]) == 1] or found)
    if chosen is None:
        return None
    struct, row, users = chosen
    rows = struct.node
    assert rows is not None
    taken = {each.name for each in struct.fields} | place.package.names
    lock = fresh(place.rng, taken, lambda: camel(row.name, place.rng.choice(["mu", "lock", "mutex", "guard"])))
    kind = place.rng.choice(["Mutex", "RWMutex"])
    splices = [(struct.path, insert(rows.end_byte - 1, f"\t{lock} sync.{kind}\n"))]
    for user in users:
        holder = f"{user.receiver.name}.{lock}" if user.receiver else lock
        read = "R" * (kind == "RWMutex" and not _writes(user, row.name))
        lines = [f"{holder}.{read}Lock()", f"defer {holder}.{read}Unlock()"]
        splices.append((user.path, open_with(user, lines)))
    facts = {
        "type": struct.name,
        "field": row.name,
        "lock": lock,
        "kind": kind.lower(),
        "label": " and ".join(each.label for each in users),
    }
    return Edit(edited_files(place.package, splices), facts)


def _users(package: Package, struct: Struct, field: str) -> list[Function]:
    return [each for each in package.code if each.receiver and each.receiver.type == struct.name
            and f"{each.receiver.name}.{field}" in text(each.body) and field in each.identifiers]  # fmt: skip


def _leaf(package: Package, function: Function) -> bool:
    methods = {each.name for each in package.code if each.receiver}
    calls = [
        text(call.child_by_field_name("function")).split(".")[-1] for call in find(function.body, "call_expression")
    ]
    return not methods & set(calls)


def _writes(function: Function, field: str) -> bool:
    changed = find(function.body, "assignment_statement", "inc_statement", "call_expression")
    return any(f".{field}" in text(node).split("=")[0] for node in changed)


def name_number(place: Place) -> Edit | None:
    """A constant in the place of a number that stands in a function."""
    found = [(function, node) for function in place.package.code for node in find(function.body, "int_literal")
             if len(text(node)) > 1 and _is_plain(node)]  # fmt: skip
    chosen = pick(place, found)
    if chosen is None:
        return None
    function, node = chosen
    value = text(node)
    left = text(node.parent.child_by_field_name("left")) if node.parent is not None else ""
    stem = (
        camel(*words(left.split(".")[-1]).split())
        if left.replace(".", "").isalnum()
        else words(function.name).split()[-1]
    )
    prefix = place.rng.choice(["max", "min", "limit", "default", "bound"])
    name = fresh(
        place.rng, place.package.names, lambda: camel(prefix, stem, place.rng.choice(["", *place.domain.nouns]))
    )
    same = [
        each for each in find(function.body, "int_literal") if text(each) == value and "time." not in text(each.parent)
    ]
    splices = [(function.path, replace(each, name)) for each in same]
    splices.append(_constant(place.package, function, name, value))
    return Edit(edited_files(place.package, splices), {"label": function.label, "value": value, "name": name})


def _is_plain(node: Node) -> bool:
    """Whether a number is an operand or a value of its own, and no count of a unit of time."""
    kind = node.parent.type if node.parent is not None else ""
    return kind in {"binary_expression", "expression_list"} and "time." not in text(node.parent)


def _constant(package: Package, function: Function, name: str, value: str) -> tuple[str, Splice]:
    """Into the file's group of constants, else into a declaration before the function and its comment."""
    for group in find(parse(package.files[function.path]), "const_declaration"):
        if text(group).endswith(")"):
            return function.path, insert(group.end_byte - 1, f"\t{name} = {value}\n")
    start = function.node
    while start.prev_named_sibling is not None and start.prev_named_sibling.type == "comment":
        start = start.prev_named_sibling
    return function.path, insert(start.start_byte, f"const {name} = {value}\n\n")


def change_constant(place: Place) -> Edit | None:
    """Another value for a constant; tests that depend on it follow."""
    found = [(path, node) for path, source in place.package.files.items() for node in find(parse(source), "const_spec")]
    chosen = pick(place, found)
    value = chosen[1].child_by_field_name("value") if chosen else None
    if chosen is None or value is None:
        return None
    path, node = chosen
    old, name = text(value), text(node.child_by_field_name("name"))
    kind = "string" if old.startswith('"') else "time.Duration" if "time." in old else "int"
    new = literal(Scope(place.rng, place.domain, place.package, []), kind)
    if new.code == old:
        return None
    facts = {"label": name, "old": old.strip('"'), "new": new.words.strip('"')}
    return Edit(edited(place.package, path, [replace(value, new.code.replace("*", " * "))]), facts)


def add_constants(place: Place) -> Edit | None:
    """One or two more constants in a group."""
    groups = [(path, node) for path, source in place.package.files.items()
              for node in find(parse(source), "const_declaration") if text(node).endswith(")")]  # fmt: skip
    chosen = pick(place, groups)
    if chosen is None:
        return None
    path, group = chosen
    rows: dict[str, str] = {}
    for _ in range(place.rng.randint(1, 2)):
        kind = place.rng.choice(["int", "string", "time.Duration"])
        name = constant_name(place.rng, place.domain, place.package.names | set(rows), kind)
        rows[name] = literal(Scope(place.rng, place.domain, place.package, []), kind).code.replace("*", " * ")
    lines = "".join(f"\t{name} = {code}\n" for name, code in rows.items())
    facts = {"label": " and ".join(rows), "value": " and ".join(code.strip('"') for code in rows.values())}
    return Edit(edited(place.package, path, [insert(group.end_byte - 1, lines)]), facts)


def remove_function(place: Place) -> Edit | None:
    """A function that nothing uses goes, with its comment."""
    found = [
        each
        for each in place.package.code
        if not each.name.startswith("New") and not _mentioned(place.package, each.name)
    ]
    function = pick(place, found)
    if function is None or len(place.package.code) < 12:
        return None
    start = function.node
    while start.prev_named_sibling is not None and start.prev_named_sibling.type == "comment":
        start = start.prev_named_sibling
    splices = [Splice(start.start_byte - 1, function.node.end_byte + 1, "")]
    return Edit(edited(place.package, function.path, splices), {"label": function.label})


def _mentioned(package: Package, name: str) -> bool:
    kinds = ("identifier", "field_identifier")
    uses = [node for source in package.files.values() for node in find(parse(source), *kinds) if text(node) == name]
    return len(uses) > 1 or f"Test{upper(name)}" in package.names
