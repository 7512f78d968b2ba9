"""Spans, kinds and names as Go's parser has them, and who is asked for them: one helper a process, ended with it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from hrm_ray.errors import UserError
from hrm_ray.golang import layout as module
from hrm_ray.golang.layout import Layout, layout, layouts
from hrm_ray.golang.supervisor import LONGEST
from tests.golang.test_supervisor import wait_for_end

FILES = """// Licence.

package p // the name

import "fmt"
import (
	x "a/b" // used
)

type (
	A = bool; B = int )

const C, D = 1, `}
func not() {`

func (*pkg.S[K, V]) M[T interface{ m() }](f func(T) (int, error)) { f(new(5)) }; var _ = 1
func (s (T)) N()
func F[T any](x T) {}
var ()
"""


def found(source: str) -> list[tuple[str, tuple[str, ...], str]]:
    data = source.encode()
    return [(one.kind, one.names, data[one.start : one.end].decode()) for one in layout(source).parts]


def test_every_declaration_has_its_kind_names_and_bytes() -> None:
    told = found(FILES)
    assert [(kind, names) for kind, names, _ in told] == [
        ("type", ("A", "B")),
        ("const", ("C", "D")),
        ("method", ("S.M",)),
        ("var", ("_",)),
        ("method", ("T.N",)),
        ("function", ("F",)),
        ("var", ()),
    ]
    assert [text.split("(")[0] for *_, text in told][:2] == ["type ", "const C, D = 1, `}\nfunc not"]
    assert told[2][2].startswith("func (*pkg") and told[2][2].endswith("}")
    assert [text for *_, text in told][3:] == ["var _ = 1", "func (s (T)) N()", "func F[T any](x T) {}", "var ()"]
    assert FILES[: layout(FILES).head].endswith("// used\n)")


def test_bodies_begin_at_their_brace() -> None:
    parts = {one.names: one for one in layout(FILES).parts}
    assert FILES[parts["S.M",].body :].startswith("{ f(new(5)) }")
    assert parts["T.N",].body == parts["T.N",].end
    assert parts["A", "B"].body == parts["A", "B"].end


@pytest.mark.parametrize(
    "source",
    [
        "\ufeffpackage p\r\n\r\nvar s = `a\r\nb\r\n`\r\n\r\n// é\r\nfunc f() {}\r\n",
        "package p\n\n//line other.go:7\nvar s = `a`\n\n/*line x.go:9:3*/ func f() {}",
        "package p; var s = `世`; func f() {}",
    ],
)
def test_bytes_are_those_of_the_file(source: str) -> None:
    assert [(kind, names) for kind, names, _ in found(source)] == [("var", ("s",)), ("function", ("f",))]
    assert all(text.startswith(("var s = `", "func f()")) and text[-1] in "`}" for *_, text in found(source))


def test_what_is_refused_says_where_and_is_read_as_far_as_it_goes() -> None:
    assert layout("package p\n\nfunc f( {}\nvar x int").error.startswith("3:9: ")
    assert [part.names for part in layout("package p\n\nfunc f( {}\nvar x int").parts] == [("f",), ("x",)]
    assert layout("var x int").error.startswith("1:1: ")
    assert layout("").parts == ()
    assert layout("package p\n\nvar s = `\0`").error
    torn = "package p\n\nvar s = `\ud800\udc00`; var t = 1"
    assert torn.encode("utf-8", "surrogatepass")[layout(torn).parts[-1].start :] == b"var t = 1"


def test_a_file_that_is_too_long_is_read_by_tree_sitter() -> None:
    long = "package p\n\nvar x = 1\n\n// " + "x" * LONGEST + "\n"
    assert layout(long).error == ""
    assert [part.names for part in layout(long).parts] == [("x",)]
    assert layout(long + "var y = \n").error


def test_many_files_at_once_are_each_answered() -> None:
    large = [f"package p\n\nvar v{at} = 1\n// {'x' * (LONGEST // 3)}" for at in range(5)]
    mixed = [large[0], "package p\n\nfunc {", *large[1:], "package p\nvar w int", large[0]]
    names = [[part.names for part in one.parts] for one in layouts(mixed)]
    assert [bool(one.error) for one in layouts(mixed)] == [at == 1 for at in range(len(mixed))]
    assert [*names[:1], *names[2:]] == [[("v0",)], [("v1",)], [("v2",)], [("v3",)], [("v4",)], [("w",)], [("v0",)]]
    assert layouts([]) == []


def asked_in_child(pipe: Connection) -> None:
    module._known.clear()
    pipe.send((found("package p\n\nvar child = 1"), module._shared().pid))
    pipe.recv()


CHILDREN: dict[str, type[BaseProcess]] = {
    "fork": multiprocessing.get_context("fork").Process,
    "spawn": multiprocessing.get_context("spawn").Process,
}


@pytest.mark.parametrize("how", CHILDREN)
def test_a_child_process_asks_a_helper_of_its_own(how: str) -> None:
    assert found("package p\n\nvar before = 1")
    here = module._shared().pid
    assert here is not None
    pipe, other = multiprocessing.Pipe()
    child = CHILDREN[how](target=asked_in_child, args=(other,))
    child.start()
    told, pid = pipe.recv()
    assert [names for _, names, _ in told] == [("child",)]
    assert pid not in {None, here}
    assert found("package p\n\nvar beside = 1") and module._shared().pid == here
    pipe.send(None)
    child.join(10)
    wait_for_end(pid)


@pytest.mark.fault
def test_a_helper_ends_with_its_process_even_where_a_forked_child_lives_on(tmp_path: Path) -> None:
    code = (
        "import os, time; from hrm_ray.golang import layout as m\n"
        "m.layout('package p')\n"
        "child = os.fork()\n"
        "if not child: time.sleep(60)\n"
        "print(m._shared().pid, child, flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        helper, child = map(int, parent.stdout.readline().split())
        parent.kill()
    try:
        wait_for_end(helper)
    finally:
        os.kill(child, signal.SIGKILL)


def test_without_a_place_for_the_helper_there_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "taken").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "taken"))
    with pytest.raises(UserError, match=r"taken.*XDG_CACHE_HOME"):
        module._shared.__wrapped__()


@pytest.mark.fault
def test_a_helper_that_is_killed_is_replaced() -> None:
    first = layout("package p\n\nvar first = 1")
    pid = module._shared().pid
    assert isinstance(first, Layout)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait_for_end(pid)
    told = found("package p\n\nfunc (s S) M[T any](x T) []T {\n\tx.f()\n}\n\nvar x = 1\n")
    assert [names for _, names, _ in told] == [("S.M",), ("x",)]  # tree-sitter alone does not find the method
    assert module._shared().pid not in {None, pid}
