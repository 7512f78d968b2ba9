"""Each edit on a small package written by hand, where it has one place or few to go."""

from __future__ import annotations

from random import Random

import pytest

from hrm_ray.collect.synthetic.drafts import Place
from hrm_ray.collect.synthetic.edits import Applied, apply
from hrm_ray.collect.synthetic.tree import Package
from hrm_ray.collect.synthetic.vocabulary import DOMAINS


def do(kind: str, *declarations: str, seed: int = 0) -> Applied | None:
    """The edit on a package whose files a.go, b.go ... (the last a test if it holds one) hold the declarations."""
    files = {}
    for letter, declaration in zip("abc", declarations, strict=False):
        name = f"shop/{letter}_test.go" if "testing.T" in declaration else f"shop/{letter}.go"
        files[name] = f"package shop\n\n{declaration}"
    return apply(kind, Place(Random(seed), DOMAINS[0], Package("shop", files)))


def after(kind: str, *declarations: str, seed: int = 0) -> str:
    applied = do(kind, *declarations, seed=seed)
    assert applied is not None
    return "\n".join(applied.package.files.values())


def over(kind: str, *declarations: str) -> list[str]:
    """The same with several seeds."""
    made = [do(kind, *declarations, seed=seed) for seed in range(8)]
    return ["\n".join(each.package.files.values()) for each in made if each is not None]


CART = """type Cart struct {
	lines []*Line
	total int
}

type Line struct {
	price int
	label string
}
"""


def test_nil_check_returns_what_the_results_ask_for() -> None:
    got = after("nil_check", "func Price(line *Line) (int, error) {\n\treturn line.price, nil\n}\n")
    assert "if line == nil {\n\t\treturn 0, " in got
    got = after("nil_check", "func Touch(line *Line) {\n\tline.price = 1\n}\n")
    assert "if line == nil {\n\t\treturn\n\t}\n\tline.price = 1" in got
    assert do("nil_check", "func Touch(line *Line) {\n\tif line == nil {\n\t\treturn\n\t}\n}\n") is None
    got = after("nil_check", CART + "\nfunc (c *Cart) Sum(n int) (int, error) {\n\treturn c.total, nil\n}\n")
    assert "if c == nil {\n\t\treturn 0, " in got
    assert "c.total" not in got.split("if c == nil")[1].split("}")[0]


def test_nil_elements_are_skipped_at_the_right_depth() -> None:
    loop = CART + "\nfunc (c *Cart) Sum() {\n\tfor _, line := range c.lines {\n\t\tc.total += line.price\n\t}\n}\n"
    want = "range c.lines {\n\t\tif line == nil {\n\t\t\tcontinue\n\t\t}\n\t\tc.total += line.price"
    assert want in after("nil_element", loop)
    assert do("nil_element", loop.replace("[]*Line", "[]Line")) is None


RETURNS = """func Load(key string) (int, error) {
	n, err := strconv.Atoi(key)
	if err != nil {
		return 0, err
	}
	return n, nil
}
"""


def test_an_error_is_wrapped_once() -> None:
    for got in over("wrap_error", RETURNS):
        assert ": %w" in got
        assert got.count("err)") == 1
        assert 'import (\n\t"fmt"\n\t"strconv"\n)' in got
    assert do("wrap_error", RETURNS.replace("0, err\n", '0, fmt.Errorf("x: %w", err)\n')) is None


def test_a_message_gets_a_value() -> None:
    source = 'func Check(limit int) error {\n\treturn errors.New("too many")\n}\n'
    for got in over("detail_error", source):
        assert 'fmt.Errorf("too many' in got
        assert "%d" in got
        assert ", limit)" in got
        assert "errors" not in got


def test_a_bound_moves_with_its_comment() -> None:
    source = "// F is true when n is above 40.\nfunc F(n int) bool {\n\treturn n > 40\n}\n"
    got = after("off_by_one", source)
    assert "n >= 40" in got
    assert "when n is at least 40." in got
    assert do("off_by_one", "func F(n int) bool {\n\treturn n == 40\n}\n") is None


def test_early_return_and_continue() -> None:
    got = after("early_return", "func F(c *Cart) {\n\tif c.total > 3 {\n\t\tc.total = 3\n\t\tc.lines = nil\n\t}\n}\n")
    assert "\tif c.total <= 3 {\n\t\treturn\n\t}\n\tc.total = 3\n\tc.lines = nil\n}" in got
    loop = """func F(c []int) int {
	n := 0
	for _, x := range c {
		if x > 1 && x < 9 {
			n++
		}
	}
	return n
}
"""
    want = "\t\tif x <= 1 || x >= 9 {\n\t\t\tcontinue\n\t\t}\n\t\tn++\n\t}\n\treturn n"
    assert want in after("early_return", loop)
    assert do("early_return", "func F(n int) int {\n\tif n > 1 {\n\t\treturn 2\n\t}\n\treturn n\n}\n") is None


def test_loops_that_collect() -> None:
    source = (
        "func F(c []string) []string {\n\tvar out []string\n\tfor _, x := range c {\n\t\tout = append(out, x)\n\t}\n"
        "\treturn out\n}\n"
    )
    assert "\tout := make([]string, 0, len(c))\n\tfor" in after("preallocate", source)
    got = after("limit_results", source)
    assert "out = append(out, x)\n\t\tif len(out) >= " in got
    assert "{\n\t\t\tbreak\n\t\t}\n\t}\n\treturn out" in got


SWITCH = 'func F(key string) int {\n\tswitch key {\n\tcase "a":\n\t\treturn 1\n\tdefault:\n\t\treturn 2\n\t}\n}\n'


@pytest.mark.parametrize("results", ["int", "(int, error)"])
def test_a_case_comes_before_the_default(results: str) -> None:
    tail = ", nil" if "error" in results else ""
    source = (
        SWITCH.replace(") int", f") {results}")
        .replace("return 1", f"return 1{tail}")
        .replace("return 2", f"return 2{tail}")
    )
    applied = do("switch_case", source)
    assert applied is not None
    answer = f'\tcase "{applied.facts["case"]}":\n\t\treturn {applied.facts["answer"]}{tail}\n\tdefault:'
    assert answer in applied.package.files["shop/a.go"]


CALLED = 'func load(key string) error {\n\tif key == "" {\n\t\treturn nil\n\t}\n\treturn nil\n}\n'
CALLER = """func Open(ctx context.Context) error {
	return load("a")
}

func Again() error {
	return load("b")
}
"""


def test_a_context_is_passed_on_or_made() -> None:
    for got in over("thread_context", CALLED, CALLER):
        if "load(ctx context.Context, key string)" in got:
            assert 'return load(ctx, "a")' in got
            assert 'return load(context.Background(), "b")' in got
            break
    else:
        pytest.fail("no seed chose load")


def test_a_parameter_is_given_by_every_file() -> None:
    for seed in range(8):
        applied = do("add_parameter", CALLED, CALLER.replace("ctx context.Context", ""), seed=seed)
        assert applied is not None
        if applied.facts["label"] == "load":
            assert applied.facts["callers"] == "Again and Open"
            for key in "ab":
                assert f'load("{key}", ' in applied.package.files["shop/b.go"]
            return
    pytest.fail("no seed chose load")


def test_signatures_of_interfaces_and_table_tests_stay() -> None:
    source = CART + "\ntype Summer interface {\n\tSum() int\n}\n\nfunc (c *Cart) Sum() int {\n\treturn c.total\n}\n"
    for kind in ("add_parameter", "thread_context", "return_error"):
        assert over(kind, source) == []


def test_an_error_result_is_handled_by_the_caller() -> None:
    source = "func size(n int) int {\n\treturn n\n}\n"
    caller = "func Use(n int) (string, error) {\n\tgot := size(n)\n\treturn fmt.Sprint(got), nil\n}\n"
    got = after("return_error", source, caller)
    assert "func size(n int) (int, error) {" in got
    assert "return n, nil" in got
    assert 'got, err := size(n)\n\tif err != nil {\n\t\treturn "", ' in got
    unhandled = "func Use(n int) int {\n\treturn size(n)\n}\n"
    assert all("func size(n int) int {" in each for each in over("return_error", source, unhandled))


def test_a_rename_reaches_tests_comments_and_interfaces() -> None:
    source = (
        CART
        + "\ntype Summer interface {\n\tSum() int\n}\n\n// Sum adds.\nfunc (c *Cart) Sum() int {\n\treturn c.total\n}\n"
    )
    test = 'func TestSum(t *testing.T) {\n\tif (&Cart{}).Sum() > 0 {\n\t\tt.Errorf("Sum is wrong")\n\t}\n}\n'
    for seed in range(20):
        applied = do("rename", source, test, seed=seed)
        if applied is not None and applied.facts["old"] == "Sum":
            got, tested = applied.package.files.values()
            new = applied.facts["new"]
            assert got.count(f"{new}(") == 2
            assert f"// {new} adds." in got
            assert f".{new}() > 0" in tested
            assert f'"{new} is wrong"' in tested
            return
    pytest.fail("no seed chose Sum")


def test_a_number_gets_a_name_in_the_group() -> None:
    source = "const (\n\tlow = 1\n)\n\nfunc F(n int) int {\n\tif n > 40 {\n\t\treturn 40\n\t}\n\treturn n\n}\n"
    applied = do("name_number", source)
    assert applied is not None
    name, got = applied.facts["name"], applied.package.files["shop/a.go"]
    assert got.count("40") == 1
    assert f"\t{name} = 40\n)" in got.replace("  ", "")
    assert f"if n > {name} {{\n\t\treturn {name}" in got
    alone = after("name_number", source.split("\n\n", 1)[1])
    assert alone.index("const ") < alone.index("func F")


def test_a_lock_is_for_reading_where_nothing_is_written() -> None:
    read = CART + "\nfunc (c *Cart) Sum() int {\n\treturn c.total\n}\n"
    write = read.replace("return c.total", "c.total++\n\treturn 1")
    for source, write_lock in ((read, False), (write, True)):
        for seed in range(12):
            applied = do("guard_field", source, seed=seed)
            assert applied is not None
            assert applied.facts["field"] == "total"
            got, lock = applied.package.files["shop/a.go"], applied.facts["lock"]
            reads = applied.facts["kind"] == "rwmutex" and not write_lock
            assert f"c.{lock}.{'R' * reads}Lock()\n\tdefer c.{lock}.{'R' * reads}Unlock()" in got
    assert do("guard_field", read.replace("total int", "total int\n\tmu sync.Mutex")) is None


NEW = "\nfunc NewLine(price int) *Line {\n\treturn &Line{\n\t\tprice: price,\n\t}\n}\n"


def test_a_field_reaches_constructor_and_callers() -> None:
    use = "func Use() *Line {\n\treturn NewLine(7)\n}\n"
    taken = 0
    for seed in range(12):
        applied = do("add_field", CART + NEW, use, seed=seed)
        assert applied is not None
        source, used = applied.package.files.values()
        name = applied.facts["name"]
        assert f"\t\t{name}:" in source
        if "taken by" in applied.facts["how"]:
            taken += 1
            assert f"price int, {name} {applied.facts['kind']}) *Line" in source
            assert f"NewLine(7, {applied.facts['value']}" in used or "*time." in used
        else:
            assert "NewLine(7)" in used
    assert taken


def test_only_unused_functions_are_removed() -> None:
    many = "\n".join(f"// F{n} is.\nfunc F{n}() int {{\n\treturn F{n + 1}()\n}}\n" for n in range(13))
    applied = do("remove_function", many)
    assert applied is not None
    assert applied.facts["label"] == "F0"
    assert applied.package.files["shop/a.go"].startswith("package shop\n\n// F1 is.")


def test_inputs_are_checked_and_normalized_first() -> None:
    source = 'func F(key string) error {\n\tkey += "x"\n\treturn g(key)\n}\n'
    for got in over("normalize_input", source):
        assert "error {\n\tkey = strings." in got
    for got in over("validate_input", source):
        assert "error {\n\tif " in got
        assert "key" in got.split("if ")[1].split(" {")[0]


def test_constants_change_and_come() -> None:
    source = 'const (\n\tlow = 3\n\tname = "x"\n)\n'
    changed = do("change_constant", source)
    assert changed is not None
    assert changed.facts["new"] in changed.package.files["shop/a.go"]
    added = do("add_constants", source)
    assert added is not None
    assert all(name in added.package.files["shop/a.go"] for name in added.facts["label"].split(" and "))


def test_tests_for_constructors() -> None:
    got = after("add_constructor_test", CART + NEW)
    assert "func TestNewLine(t *testing.T) {" in got
    assert ".price != " in got
    assert do("add_constructor_test", CART + NEW.replace("(price int)", "(cost int)")) is None
