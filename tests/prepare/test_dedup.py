"""Of exact duplicates the earliest merged stays."""

from __future__ import annotations

from hrm_ray.prepare.dedup import fingerprint, keep_earliest
from tests.prepare.factory import example


def test_fingerprint_is_of_before_and_code_only() -> None:
    assert fingerprint(example()) == fingerprint(example(title="Another", repository="b/b", path="x.go", plan="y"))
    assert fingerprint(example(before="ab", code="c")) != fingerprint(example(before="a", code="bc"))


def test_earliest_stays_then_the_smallest_id() -> None:
    fingerprints = ["x", "y", "x", "y", "z"]
    merged = [
        "2024-02-01T00:00:00Z",
        "2024-01-01T00:00:00Z",
        "2024-01-01T01:00:00+02:00",
        "2024-01-01T00:00:00Z",
        "2023-01-01",
    ]
    assert keep_earliest(fingerprints, merged, ["a", "e", "d", "b", "c"]) == [3, 4, 2]
