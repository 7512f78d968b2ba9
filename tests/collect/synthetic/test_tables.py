from __future__ import annotations

from random import Random

from hrm_ray.collect.synthetic import interpreter
from hrm_ray.collect.synthetic.packages import new_package
from hrm_ray.collect.synthetic.tables import case, known_constants, refresh, tables
from hrm_ray.collect.synthetic.tree import Package, text
from hrm_ray.collect.synthetic.vocabulary import DOMAINS

CODE = """package a

const low = 4

func Grade(n int, key string) string {
	if n > low {
		return "high"
	}
	if key == "" {
		return "none"
	}
	return "mid"
}
"""
TEST = """package a

func TestGrade(t *testing.T) {
	tests := []struct {
		name string
		n    int
		key  string
		want string
	}{
		{name: "n 5", n: 5, key: "x", want: "high"},
		{name: "no key", n: 1, key: "", want: "none"},
	}
}
"""
PACKAGE = Package("a", {"a/a.go": CODE, "a/a_test.go": TEST})


def test_a_changed_constant_changes_what_the_table_expects() -> None:
    assert refresh(PACKAGE) == {}
    changed = PACKAGE.changed({"a/a.go": CODE.replace("low = 4", "low = 5")})
    assert refresh(changed) == {"a/a_test.go": TEST.replace('key: "x", want: "high"', 'key: "x", want: "mid"')}


def test_a_new_case_expects_the_truth() -> None:
    (table,) = tables(PACKAGE)
    assert (table.name, table.function.name, table.title) == ("TestGrade", "Grade", "name")
    for seed in range(20):
        made = case(Random(seed), DOMAINS[0], PACKAGE, table.function, table.title)
        assert made is not None
        n = int(made[0].split("n: ")[1].split(",")[0])
        assert ('want: "high"' in made[0]) == (n > 4)
        assert made[1] in made[0]


def test_generated_tables_hold() -> None:
    checked = 0
    for seed in range(8):
        package = new_package(Random(seed), DOMAINS[seed], "shop")
        assert refresh(package) == {}
        for table in tables(package):
            checked += len(table.cases.named_children)
            assert table.function.results
            assert all(name in text(table.cases) for name in (row.name for row in table.function.parameters))
        assert all(isinstance(value, int | str) for value in known_constants(package).values())
    assert checked > 10
    assert interpreter.constant("7") == 7
