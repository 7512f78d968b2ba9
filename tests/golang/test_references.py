"""What stands before a dot: a package, or something that the file itself binds."""

from __future__ import annotations

import pytest

from hrm_ray.golang.references import imports, package_name, package_references


def found(body: str, top: str = "") -> dict[str, set[str]]:
    return package_references(f"package p\n\n{top}\n\nfunc F(w io.Writer) {{\n{body}\n}}\n")


@pytest.mark.parametrize(
    ("body", "packages"),
    [
        ("fmt.Println(os.Args)", {"fmt", "os"}),
        ("u := url.URL{}\nurl := url.Parse(u)\nurl.Query()", {"url"}),
        ("w.Write(nil)", set()),
        ("for _, v := range list { v.A() }\nv.B()", {"v"}),
        ("for j := k.New(); j.More(); j.Next() { }\nj.X()", {"k", "j"}),
        ("if x := a.F(); x.OK { x.G() } else { x.H() }\nx.I()", {"a", "x"}),
        ("switch x := y.(type) { case b.T: x.Z() }\nx.W()", {"b", "x"}),
        ("switch x := c.F(); x.K { case d.K: x.L() }", {"c", "d"}),
        ("select { case m := <-e.C: m.A() }\nm.B()", {"e", "m"}),
        ("f := func(g g.T, h ...int) (r error) { g.X(); h.Y(); r.Z() }\nf.Call()", {"g"}),
        ("var a, b = c.X, 1\na.Y(); b.Z()", {"c"}),
        ("{ x := 1; x.A() }\nx.B()", {"x"}),
        ("pkg.F[int](3)\n_ = []other.S{}\n_ = map[k.K]v.V{}", {"pkg", "other", "k", "v"}),
        ("a.b.C.D()", {"a"}),
    ],
)
def test_names_are_followed_through_scopes(body: str, packages: set[str]) -> None:
    assert set(found(body)) == packages | {"io"}


def test_what_the_file_declares_is_no_package() -> None:
    assert set(found("log.Info(); conf.X(); T.Y(nil); G.Z()", "var log, conf = 1, 2\ntype T int\nfunc G() {}")) == {
        "io"
    }


def test_what_is_selected_is_told() -> None:
    assert found("rand.Intn(1); rand.New(nil)\nvar r *rand.Rand")["rand"] == {"Intn", "New", "Rand"}


def test_depth_costs_no_stack_and_no_square() -> None:
    deep = "(" * 20_000 + "a.B" + ")" * 20_000
    assert set(found(f"_ = {deep}")) == {"a", "io"}


def test_imports_are_read_in_every_form() -> None:
    source = 'package p\n\nimport "fmt"\nimport (\n\ta "x/y"\n\t_ "z"\n\t. `w`\n)\n'
    assert [(one.alias, one.path) for one in imports(source)] == [("", "fmt"), ("a", "x/y"), ("_", "z"), (".", "w")]
    assert package_name(source) == "p"
    assert package_name("") == ""
