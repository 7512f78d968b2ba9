"""System calls that a program in the sandbox is refused: a filter for bubblewrap (seccomp(2), classic BPF).

Namespaces do not hold everything. Keyrings are those of whoever started the run; sockets of a virtual machine
(AF_VSOCK) reach its host; what network buffers hold is in no group's memory under version 1 of control groups; and
io_uring, bpf, perf_event_open and userfaultfd are where faults of the kernel are found. Neither Go nor a test of a
function needs any of them. What takes a capability is not listed: a program in there has none, and cannot get one.
"""

from __future__ import annotations

import errno
import platform
import socket
import struct
from functools import cache

MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""What the kernel calls the machines whose numbers are known; a call in another's numbers ends the program."""

REFUSED = {
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
}
"""Their numbers on each of `MACHINES`."""

_SOCKET = (41, 198)
_NEWEST = 462
"""The last call of Linux 6.12; those that came later, and x32's, do not exist in the sandbox."""

_LOAD, _EQUAL, _GREATER, _RETURN = 0x20, 0x15, 0x25, 0x06
_NUMBER, _MACHINE, _FIRST_ARGUMENT = 0, 4, 16
_ALLOW, _KILL, _FAIL = 0x7FFF0000, 0x80000000, 0x00050000


@cache
def program(machine: str = platform.machine()) -> bytes:
    """Return the filter as the kernel reads it: 8 bytes an instruction.

    Raises:
        LookupError: the numbers of this machine's system calls are not known here.
    """
    if machine not in MACHINES:
        raise LookupError(f"the system calls of {machine} are not known")
    at = list(MACHINES).index(machine)
    steps = [
        *_load(_MACHINE, _EQUAL, MACHINES[machine], 1, 0, _KILL),
        *_load(_NUMBER, _GREATER, _NEWEST, 0, 1, _FAIL | errno.ENOSYS),
    ]
    for numbers in REFUSED.values():
        steps += [(_EQUAL, 0, 1, numbers[at]), (_RETURN, 0, 0, _FAIL | errno.EPERM)]
    steps.append((_EQUAL, 0, 3, _SOCKET[at]))
    steps += _load(_FIRST_ARGUMENT, _EQUAL, socket.AF_UNIX, 1, 0, _FAIL | errno.EAFNOSUPPORT)
    return b"".join(struct.pack("=HBBI", *step) for step in [*steps, (_RETURN, 0, 0, _ALLOW)])


def _load(place: int, compare: int, value: int, true: int, false: int, end: int) -> list[tuple[int, int, int, int]]:
    """Compare what is at a place of seccomp_data, then skip so many instructions: none, and it ends there."""
    return [(_LOAD, 0, 0, place), (compare, true, false, value), (_RETURN, 0, 0, end)]
