"""Only tests that ran and passed are believed."""

from __future__ import annotations

import pytest

from hrm_ray.golang.witness import Witness, named_tests, witness

SECRET = "5ec3e7"
FIRST = "--- PASS: TestA (0.00s)\n"
SECOND = "--- PASS: TestB (0.00s)\n"
SWORN = f"{SECRET}\n{FIRST}{SECOND}PASS\n{SECRET}\nok\n"


@pytest.mark.parametrize(
    ("output", "believed"),
    [
        (SWORN, True),
        (SWORN.replace(FIRST, f"got 1{FIRST}"), True),
        (SWORN.replace(FIRST, ""), False),
        (SWORN.replace("TestB", "TestBoth"), False),
        (SWORN.replace(SECOND, f"    {SECOND}".replace("PASS", "FAIL")), False),
        (f"{FIRST}{SECOND}{SECRET}\nPASS\n{SECRET}\n", False),
        (f"{SECRET}\n{FIRST}{SECOND}PASS\n", False),
        (f"{FIRST}{SECOND}PASS\n", False),
        (f"{SECRET}\n{SWORN}", False),
        ("", False),
    ],
)
def test_it_has_to_hear_every_test_between_its_own_words(output: str, believed: bool) -> None:
    assert Witness(("TestA", "TestB"), SECRET).heard(output.encode()) is believed


def test_without_tests_nothing_passes() -> None:
    assert not Witness((), SECRET).heard(f"{SECRET}\nPASS\n{SECRET}\n".encode())


def test_its_words_are_its_own_and_are_not_shown() -> None:
    files = {"a_test.go": "package task\n\nfunc TestA(t *testing.T) {}\n", "a.go": "package task\n\nfunc TestB() {}\n"}
    one, other = witness(files), witness(files)
    assert one.tests == ("TestA",)
    assert one.secret != other.secret
    assert one.secret in "".join(one.files.values())
    assert Witness(("TestA", "TestB"), SECRET).without(SWORN) == f"{FIRST}{SECOND}PASS\nok\n"


def test_what_go_calls_a_test() -> None:
    names = ("TestOne", "Test", "Test_one", "Test1", "Testing", "testOne", "BenchmarkOne", "TestÉ")
    source = "package task\n" + "".join(f"\nfunc {name}(t *testing.T) {{}}\n" for name in names)
    found = named_tests(source + "\nfunc (s S) TestTwo() {}\n\ntype TestThree int\n")
    assert found == ["TestOne", "Test", "Test_one", "Test1", "TestÉ"]
