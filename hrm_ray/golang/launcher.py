"""Run as a script between us and the sandbox: joins control groups, lowers its limits, and becomes the command.

It is a process of its own because a child of a process with threads must not run Python between fork and exec.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from pathlib import Path


def main(told: str, *command: str) -> None:
    """Become `command`; `told` is JSON: who started this, the `cgroup.procs` files to enter, and the limits by name."""
    given = json.loads(told)
    for procs in given["groups"]:
        Path(procs).write_text("0")
    for name, most in given["limits"].items():
        kind = getattr(resource, name)
        _, hard = resource.getrlimit(kind)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (most, most))
    if os.getppid() != given["parent"]:
        sys.exit("who started this is gone, and nobody would end it")
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(*sys.argv[1:])
