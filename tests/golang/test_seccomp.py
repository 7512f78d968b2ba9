"""The filter, run as the kernel runs it, for each machine."""

from __future__ import annotations

import errno
import socket
import struct

import pytest

from hrm_ray.golang import seccomp

ALLOWED, KILLED = 0x7FFF0000, 0x80000000


def answered(machine: str, number: int, argument: int = 0, arch: int | None = None) -> int:
    """What the filter returns for a system call: classic BPF over struct seccomp_data."""
    data = struct.pack("=iIQ6Q", number, seccomp.MACHINES[machine] if arch is None else arch, 0, argument, *[0] * 5)
    steps = list(struct.iter_unpack("=HBBI", seccomp.program(machine)))
    at, loaded = 0, 0
    while True:
        code, true, false, value = steps[at]
        at += 1
        if code == 0x06:
            return int(value)
        if code == 0x20:
            (loaded,) = struct.unpack_from("=I", data, value)
        else:
            at += true if (loaded == value if code == 0x15 else loaded > value) else false


def failed(error: int) -> int:
    return 0x00050000 | error


@pytest.mark.parametrize(("column", "machine"), [*enumerate(seccomp.MACHINES)])
def test_what_is_listed_is_refused_and_the_rest_is_not(column: int, machine: str) -> None:
    refused = {numbers[column] for numbers in seccomp.REFUSED.values()}
    assert len(refused) == len(seccomp.REFUSED)
    sockets = (41, 198)[column]
    for number in range(463):
        expected = failed(errno.EPERM) if number in refused else ALLOWED
        assert answered(machine, number, socket.AF_UNIX) == expected, number
        expected = failed(errno.EAFNOSUPPORT) if number == sockets else expected
        for family in (socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK, 40):
            assert answered(machine, number, family) == expected, (number, family)


@pytest.mark.parametrize("machine", seccomp.MACHINES)
def test_calls_of_later_kernels_and_of_other_machines_do_not_exist(machine: str) -> None:
    assert answered(machine, 463) == failed(errno.ENOSYS)
    assert answered(machine, 0x40000000 + 39) == failed(errno.ENOSYS)
    assert answered(machine, 0, arch=0x40000003) == KILLED


def test_a_machine_without_numbers_has_no_filter() -> None:
    with pytest.raises(LookupError, match="the system calls of riscv64 are not known"):
        seccomp.program("riscv64")
