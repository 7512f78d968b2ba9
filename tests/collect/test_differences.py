from __future__ import annotations

import pytest

from hrm_ray.collect.differences import Entry, entries, with_patches

ONE, TWO, NONE = "1" * 40, "2" * 40, "0" * 40


def raw(old_mode: str, new_mode: str, before: str, after: str, status: str, *paths: str) -> bytes:
    return f":{old_mode} {new_mode} {before} {after} {status}\0".encode() + b"".join(
        path.encode("utf-8", "surrogateescape") + b"\0" for path in paths
    )


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (raw("000000", "100644", NONE, ONE, "A", "a.go"), Entry("a.go", "added", NONE, ONE)),
        (raw("100644", "000000", ONE, NONE, "D", "a.go"), Entry("a.go", "removed", ONE, NONE)),
        (raw("100644", "100755", ONE, TWO, "M", "a b.go"), Entry("a b.go", "modified", ONE, TWO)),
        (raw("100644", "100644", ONE, TWO, "R087", "a.go", "b\n.go"), Entry("b\n.go", "renamed", ONE, TWO, "a.go")),
        (raw("100644", "120000", ONE, TWO, "T", "a.go"), Entry("a.go", "other", ONE, TWO)),
        (raw("000000", "160000", NONE, ONE, "A", "sub.go"), Entry("sub.go", "other", NONE, ONE)),
        (raw("120000", "120000", ONE, TWO, "M", "a.go"), Entry("a.go", "other", ONE, TWO)),
        (raw("000000", "100644", NONE, ONE, "A", "\udcff.go"), Entry("\ufffd.go", "added", NONE, ONE)),
    ],
)
def test_one_entry(line: bytes, expected: Entry) -> None:
    assert entries(line) == [expected]


def test_nothing_changed() -> None:
    assert entries(b"") == []
    assert with_patches(b"") == []


def test_each_entry_has_its_patch() -> None:
    listed = (
        raw("100644", "100644", ONE, TWO, "M", "a.go")
        + raw("100644", "100644", ONE, ONE, "R100", "b.go", "c.go")
        + raw("100644", "000000", ONE, NONE, "D", "d.go")
    )
    patches = (
        b"\0diff --git a/a.go b/a.go\nindex 1..2 100644\n--- a/a.go\n+++ b/a.go\n@@ -1 +1 @@ x\n-diff --git\n+@@ b\n"
        b"diff --git a/b.go b/c.go\nsimilarity index 100%\nrename from b.go\nrename to c.go\n"
        b"diff --git a/d.go b/d.go\ndeleted file mode 100644\n--- a/d.go\n+++ /dev/null\n@@ -1 +0,0 @@\n-\xff\n"
    )
    found = with_patches(listed + patches)
    assert [(entry.path, entry.status) for entry, _ in found] == [
        ("a.go", "modified"),
        ("c.go", "renamed"),
        ("d.go", "removed"),
    ]
    assert [patch for _, patch in found] == [
        b"@@ -1 +1 @@ x\n-diff --git\n+@@ b\n",
        b"",
        b"@@ -1 +0,0 @@\n-\xff\n",
    ]
