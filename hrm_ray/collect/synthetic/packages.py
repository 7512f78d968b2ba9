"""New Go packages: structs with constructors and methods, functions, constants, an interface, table tests."""

from __future__ import annotations

import re
from collections.abc import Iterable
from random import Random

from hrm_ray.collect.synthetic.bodies_collections import COLLECTION_BODIES
from hrm_ray.collect.synthetic.bodies_fields import FIELD_BODIES
from hrm_ray.collect.synthetic.drafts import Place, Written, block, finish, new_scope, openings
from hrm_ray.collect.synthetic.grammar import SCALARS, Scope, literal
from hrm_ray.collect.synthetic.layout import tidy
from hrm_ray.collect.synthetic.tables import pure_function, table_test
from hrm_ray.collect.synthetic.tree import Package, Struct, Variable
from hrm_ray.collect.synthetic.vocabulary import Domain, camel, field_name, fresh, plural, type_name, words


def write_function(place: Place) -> Written:
    """A function, or a method of the place's struct, from one of the bodies."""
    while True:
        scope = new_scope(place)
        bodies = COLLECTION_BODIES if place.rng.random() < 0.55 else FIELD_BODIES
        draft = place.rng.choice(bodies)(scope)
        if draft is not None:
            return finish(place, scope, draft, openings(scope, draft))


def new_struct(rng: Random, domain: Domain, package: Package) -> Struct:
    """A struct of three to six scalar fields and up to two collections."""
    name = fresh(rng, package.names, lambda: type_name(rng, domain))
    fields: list[Variable] = []
    for kind in ["string", "int", *rng.choices(SCALARS, k=rng.randint(1, 4))]:
        fields.append(new_field(rng, domain, package, fields, kind))
    for _ in range(rng.choice([0, 1, 1, 2])):
        fields.append(_collection(rng, domain, package, {each.name for each in fields}))
    return Struct(name, tuple(fields))


def new_field(rng: Random, domain: Domain, package: Package, fields: Iterable[Variable], kind: str) -> Variable:
    """A field of a scalar type whose name is neither another field's nor a package-level one."""
    taken = {each.name for each in fields} | {each.name for each in package.functions} | set(package.constants)
    return Variable(fresh(rng, taken, lambda: field_name(rng, domain, kind)), kind)


def _collection(rng: Random, domain: Domain, package: Package, taken: set[str]) -> Variable:
    if package.structs and rng.random() < 0.75:
        struct = rng.choice(package.structs)
        stem = [plural(words(struct.name).split()[-1]), plural(camel(struct.name))]
        kind = rng.choice(["[]*", "[]*", "map[string]*"]) + struct.name
        return Variable(fresh(rng, taken, lambda: rng.choice(stem)), kind)
    kind = rng.choice(["[]string", "[]int", "map[string]int"])
    return Variable(fresh(rng, taken, lambda: plural(field_name(rng, domain, "string"))), kind)


def struct_text(rng: Random, domain: Domain, struct: Struct) -> str:
    """The type's declaration with its doc comment."""
    told = " and ".join(words(each.name) for each in struct.fields[:2])
    verb = rng.choice(["holds", "keeps", "is known by", "tracks"])
    lines = block(f"type {struct.name} struct", [f"{each.name} {each.type}" for each in struct.fields])
    comment = f"// {struct.name} {verb} {told} of a {domain.name} {rng.choice(domain.nouns)}."
    return "\n".join([comment, *lines]) + "\n"


def constructor_text(rng: Random, struct: Struct) -> str:
    """`NewX`: takes some of the scalar fields, makes the maps."""
    scalars = [each for each in struct.fields if each.type in ("string", "int", "bool")]
    rows = scalars[: rng.randint(1, min(4, len(scalars)))]
    cells = [f"{each.name}: {each.name}," for each in rows]
    cells += [f"{each.name}: make({each.type})," for each in struct.fields if each.type.startswith("map[")]
    cells += [f"{each.name}: time.Now()," for each in struct.fields if each.type == "time.Time" and rng.random() < 0.6]
    head = f"func New{struct.name}({', '.join(f'{each.name} {each.type}' for each in rows)}) *{struct.name}"
    told = " and ".join(words(each.name) for each in rows)
    comment = f"// New{struct.name} returns a new {words(struct.name)} of the given {told}."
    return (
        "\n".join([comment, *block(head, [f"return &{struct.name}{{", *(f"\t{cell}" for cell in cells), "}"])]) + "\n"
    )


def constructor_test(rng: Random, domain: Domain, package: Package, struct: Struct) -> str:
    """A test that the constructor keeps what it was given."""
    made = next(each for each in package.code if each.name == f"New{struct.name}")
    scope = Scope(rng, domain, package, [])
    given = [(row, literal(scope, row.type).code) for row in made.parameters]
    holder = scope.named("made", "created", camel(words(struct.name).split()[0]))
    lines = [f"{holder} := New{struct.name}({', '.join(code for _, code in given)})"]
    for row, code in given:
        if row.type == "bool":
            test, mark = f"{'!' if code == 'true' else ''}{holder}.{row.name}", "%t"
        else:
            test, mark = f"{holder}.{row.name} != {code}", "%q" if row.type == "string" else "%d"
        lines += block(f"if {test}", [f't.Errorf("{row.name} is {mark}", {holder}.{row.name})'])
    return "\n".join(block(f"func TestNew{struct.name}(t *testing.T)", lines)) + "\n"


def constant_name(rng: Random, domain: Domain, taken: set[str] | frozenset[str], kind: str) -> str:
    """A name such as `maxRetries`."""
    prefixes = ("default", "max", "min", "soft", "hard")
    return fresh(rng, taken, lambda: camel(rng.choice(prefixes), field_name(rng, domain, kind)))


def constants_text(rng: Random, domain: Domain, package: Package) -> str:
    """A group of three to six constants."""
    scope = Scope(rng, domain, package, [])
    rows: dict[str, str] = {}
    for _ in range(rng.randint(3, 6)):
        kind = rng.choice(["int", "int", "string", "time.Duration"])
        name = constant_name(rng, domain, package.names | set(rows), kind)
        rows[name] = literal(scope, kind).code.replace("*", " * ")
    return "\n".join(["const (", *(f"\t{name} = {code}" for name, code in rows.items()), ")"]) + "\n"


def interface_text(rng: Random, package: Package, struct: Struct) -> str | None:
    """An interface that the struct already meets, and the proof; None where it has no method."""
    methods = [each for each in package.code if each.receiver and each.receiver.type == struct.name]
    if not methods:
        return None
    chosen = rng.sample(methods, min(len(methods), rng.randint(1, 2)))
    name = fresh(rng, package.names, lambda: chosen[0].name + rng.choice(["er", "Source", "Port", "API"]))
    heads = [
        package.files[each.path][each.node.start_byte : each.body.start_byte].split(each.name, 1)[1] for each in chosen
    ]
    lines = block(
        f"type {name} interface", [each.name + head.strip() for each, head in zip(chosen, heads, strict=True)]
    )
    comment = f"// {name} is what callers of {struct.name} rely on."
    return "\n".join([comment, *lines, "", f"var _ {name} = (*{struct.name})(nil)"]) + "\n"


def append(package: Package, path: str, declaration: str) -> Package:
    """The package with a declaration at the end of a file, which is made where it is not there yet."""
    clause = f"package {package.folder.rsplit('/', 1)[-1]}\n"
    return package.changed({path: f"{package.files.get(path, clause)}\n{declaration}"})


def source_path(package: Package, name: str, test: bool = False) -> str:
    """The file for a type or topic of this name."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    snake = f"{snake}s" if snake.endswith("test") else snake
    return f"{package.folder}/{snake}{'_test' if test else ''}.go"


def new_package(rng: Random, domain: Domain, folder: str) -> Package:
    """A package of two to four structs with their files, some functions and tests; imports and columns are in order."""
    package = Package(folder, {})
    home = source_path(package, rng.choice(["limits", "rules", "helpers", "common", folder.rsplit("/", 1)[-1]]))
    package = append(package, home, constants_text(rng, domain, package))
    for _ in range(rng.randint(2, 4)):
        package = _add_struct(rng, domain, package)
    for _ in range(rng.randint(2, 4)):
        package = append(package, home, write_function(Place(rng, domain, package)).text)
    for _ in range(rng.randint(1, 3)):
        package = add_pure_function(rng, domain, package, home)
    for struct in package.structs:
        for _ in range(rng.randint(1, 3)):
            package = append(package, struct.path, write_function(Place(rng, domain, package, struct)).text)
    described = interface_text(rng, package, rng.choice(package.structs))
    package = append(package, home, described) if described and rng.random() < 0.5 else package
    return Package(folder, {path: tidy(source) for path, source in package.files.items()})


def _add_struct(rng: Random, domain: Domain, package: Package) -> Package:
    struct = new_struct(rng, domain, package)
    path = source_path(package, struct.name)
    package = append(package, path, struct_text(rng, domain, struct))
    package = append(package, path, constructor_text(rng, struct))
    if rng.random() < 0.4:
        test = constructor_test(rng, domain, package, struct)
        package = append(package, source_path(package, struct.name, test=True), test)
    return package


def add_pure_function(rng: Random, domain: Domain, package: Package, path: str) -> Package:
    """A pure function at the end of a file, and its table test in the test file beside it."""
    written = pure_function(Place(rng, domain, package))
    package = append(package, path, written.text)
    function = next(each for each in package.code if each.name == written.name)
    test = table_test(rng, domain, package, function)
    return append(package, path.replace(".go", "_test.go"), test) if test else package
