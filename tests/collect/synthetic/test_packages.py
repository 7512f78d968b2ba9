from __future__ import annotations

from collections.abc import Callable
from functools import cache
from random import Random

import pytest

from hrm_ray.collect.synthetic.bodies_collections import COLLECTION_BODIES
from hrm_ray.collect.synthetic.bodies_fields import FIELD_BODIES
from hrm_ray.collect.synthetic.drafts import Draft, Place, comment, finish, new_scope, openings, receiver_name
from hrm_ray.collect.synthetic.grammar import Scope
from hrm_ray.collect.synthetic.packages import interface_text, new_package, source_path, write_function
from hrm_ray.collect.synthetic.tree import Package, functions, parse
from hrm_ray.collect.synthetic.vocabulary import DOMAINS

BODIES = list(dict.fromkeys((*COLLECTION_BODIES, *FIELD_BODIES)))


@cache
def package(seed: int) -> Package:
    return new_package(Random(seed), DOMAINS[seed % len(DOMAINS)], "pkg/shop")


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body.__name__)
def test_every_body_makes_functions_that_parse_and_say_what_they_do(body: Callable[[Scope], Draft | None]) -> None:
    made = 0
    for seed in range(60):
        shop = package(seed % 12)
        owner = None if seed % 5 == 0 else shop.structs[seed % len(shop.structs)]
        place = Place(Random(f"{body.__name__} {seed}"), DOMAINS[seed % len(DOMAINS)], shop, owner)
        scope = new_scope(place)
        draft = body(scope)
        if draft is None:
            continue
        made += 1
        written = finish(place, scope, draft, openings(scope, draft))
        source = f"package shop\n\n{written.text}"
        assert not parse(source).has_error, source
        (function,) = functions("a.go", source)
        assert (function.name, function.results) == (written.name, draft.results)
        assert function.label == written.label
        assert written.name not in shop.names
        assert written.text.startswith(f"// {written.name} ")
        assert len(draft.summary) > 10
    assert made >= 3


def test_packages_have_structs_constructors_methods_and_tests() -> None:
    tested = 0
    for seed in range(10):
        shop = package(seed)
        names = {each.name for each in shop.functions}
        assert 2 <= len(shop.structs) <= 4
        assert all(f"New{struct.name}" in names for struct in shop.structs)
        assert all(
            any(each.receiver and each.receiver.type == struct.name for each in shop.code) for struct in shop.structs
        )
        assert shop.constants
        assert all(source.startswith("package shop\n") for source in shop.files.values())
        assert all(path.startswith("pkg/shop/") for path in shop.files)
        tested += any(path.endswith("_test.go") for path in shop.files)
    assert tested > 7


def test_functions_are_nearly_all_different() -> None:
    shop = package(3)
    texts = [write_function(Place(Random(seed), DOMAINS[3], shop)) for seed in range(200)]
    assert len({each.summary for each in texts}) > 190
    assert len({each.name for each in texts}) > 185


def test_an_interface_holds_methods_that_the_struct_has() -> None:
    shop = package(1)
    struct = shop.structs[0]
    said = interface_text(Random(2), shop, struct)
    assert said is not None
    assert f"= (*{struct.name})(nil)" in said
    own = [each.name for each in shop.code if each.receiver and each.receiver.type == struct.name]
    assert any(f"\t{name}(" in said for name in own)
    assert interface_text(Random(2), Package("shop", {}), struct) is None


def test_receivers_keep_their_name() -> None:
    for seed in range(6):
        shop = package(seed)
        for struct in shop.structs:
            used = {each.receiver.name for each in shop.code if each.receiver and each.receiver.type == struct.name}
            assert used == {receiver_name(shop, struct)}


def test_paths_and_comments() -> None:
    shop = Package("pkg/shop", {})
    assert source_path(shop, "OrderLine") == "pkg/shop/order_line.go"
    assert source_path(shop, "OrderLine", test=True) == "pkg/shop/order_line_test.go"
    assert source_path(shop, "SpeedTest") == "pkg/shop/speed_tests.go"
    lines = comment("Add", "adds " + "one and " * 30 + "one", ("stops",))
    assert all(line.startswith("//") and len(line) <= 100 for line in lines)
    assert lines[-1].endswith("one. It stops.")
