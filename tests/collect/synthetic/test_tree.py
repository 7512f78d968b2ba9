from __future__ import annotations

import pytest

from hrm_ray.collect.synthetic.tree import (
    Package,
    Splice,
    Variable,
    find,
    functions,
    insert,
    parse,
    splice,
    structs,
    text,
)

SOURCE = """package shop

type Cart struct {
	a, b  int
	lines []*Line
}

const maxLines = 3

func (c *Cart) Add(line *Line, n int) (int, error) {
	return c.count(n), nil
}

func New(names ...string) *Cart {
	return &Cart{a: maxLines}
}

func touch() {}
"""


def test_functions_with_receiver_parameters_and_results() -> None:
    add, new, touch = functions("a.go", SOURCE)
    assert (add.label, add.receiver) == ("Cart.Add", Variable("c", "Cart"))
    assert add.parameters == (Variable("line", "*Line"), Variable("n", "int"))
    assert (add.results, add.fails, new.results, touch.results) == (("int", "error"), True, ("*Cart",), ())
    assert SOURCE[add.start - 1] == "{"
    assert {"count", "Line", "n"} <= add.identifiers


def test_struct_fields_of_one_row_are_separate() -> None:
    (cart,) = structs("a.go", SOURCE)
    assert cart.fields == (Variable("a", "int"), Variable("b", "int"), Variable("lines", "[]*Line"))


def test_package_sees_all_files_and_tells_tests_apart() -> None:
    test = "package shop\n\nfunc TestAdd() {\n\tx.Add(nil, 2)\n\tNew()\n}\n"
    package = Package("shop", {"shop/a.go": SOURCE, "shop/a_test.go": test})
    assert [each.name for each in package.functions] == ["Add", "New", "touch", "TestAdd"]
    assert [each.name for each in package.code] == ["Add", "New", "touch"]
    assert package.constants == {"maxLines": "3"}
    assert [(path, text(call)) for path, call in package.calls("Add")] == [("shop/a_test.go", "x.Add(nil, 2)")]
    assert package.struct("*Cart") == package.structs[0]
    assert package.changed({"shop/a_test.go": "package shop\n"}).calls("Add") == []


def test_splices_apply_in_any_order_and_must_not_overlap() -> None:
    assert splice("abcdef", [insert(6, "!"), Splice(1, 3, "X"), insert(1, "<")]) == "a<Xdef!"
    with pytest.raises(AssertionError, match="overlap"):
        splice("abcdef", [Splice(1, 4, ""), Splice(3, 5, "")])


def test_find_is_in_source_order() -> None:
    found = [text(node) for node in find(parse(SOURCE), "int_literal", "type_spec", "const_spec")]
    assert found == [SOURCE[19 : SOURCE.index("}") + 1].removeprefix("type "), "maxLines = 3", "3"]
