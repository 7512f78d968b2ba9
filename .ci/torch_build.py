"""Say which build of torch pip would take, and how large it is with what it brings, before it is downloaded.

Run by `make`: `python .ci/torch_build.py [pip arguments]`. Uses nothing outside the standard library.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import unquote, urlparse
from urllib.request import Request, urlopen


def resolve(arguments: list[str]) -> list[dict[str, Any]]:
    """Return what pip would install for torch."""
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet", "--report", "-"]
    command += ["--constraint", "constraints.txt", *arguments, "torch"]
    report = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    items: list[dict[str, Any]] = json.loads(report)["install"]
    return items


def size(address: str) -> int:
    """Return the bytes of a wheel, 0 where the index does not say."""
    parts = urlparse(address)
    if parts.scheme == "file":
        return Path(unquote(parts.path)).stat().st_size
    try:
        with urlopen(Request(address, method="HEAD"), timeout=20) as answer:
            return int(answer.headers.get("Content-Length") or 0)
    except URLError:
        return 0


def main() -> None:
    """Print one line."""
    items = resolve(sys.argv[1:])
    version = next(item["metadata"]["version"] for item in items if item["metadata"]["name"] == "torch")
    cuda = sum(item["metadata"]["name"].startswith(("nvidia", "cuda")) for item in items)
    build = f"a CUDA build with {cuda} packages of NVIDIA's" if cuda else "a CPU build"
    total = sum(size(item["download_info"]["url"]) for item in items)
    print(f"torch {version}: {build}, {total / 2**20:,.0f} MiB to download with what it needs (README: how to choose)")


if __name__ == "__main__":
    main()
