"""Whether a patch has the imports that people gave the same change.

    python benchmarks/imports.py ../chi ../echo

Puts the declarations that the newest pull requests of clones changed or added into their files as they were before, in
a checkout of the base, as `generate` does with what a model writes, and compares the imports, and the whole file, with
what was merged. Files with a removed declaration, or an addition that is behind no unchanged one, are left out.
"""

from __future__ import annotations

import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import Annotated

import typer

from hrm_ray.collect.commits import Commits
from hrm_ray.collect.git import opened
from hrm_ray.collect.history import pull_requests
from hrm_ray.collect.records import ChangedFile
from hrm_ray.config import Clean
from hrm_ray.golang.declarations import Declaration, declarations
from hrm_ray.golang.references import imports
from hrm_ray.golang.syntax import parse_file_ok
from hrm_ray.golang.toolchain import Toolchain, toolchain
from hrm_ray.patch.edit import Writing, edit
from hrm_ray.patch.packages import Packages
from hrm_ray.patch.target import Target
from hrm_ray.patch.tree import WorkingTree
from hrm_ray.prepare.matching import match


def writings(file: ChangedFile) -> list[Writing] | None:
    """Return what was written, by target, None where that cannot be said."""
    before, after = declarations(file.content_before), declarations(file.content_after)
    matches = match(before, after)
    added: defaultdict[int, list[str]] = defaultdict(list)
    changed: list[Writing] = []
    anchor: Declaration | None = None
    for new, old in zip(after, matches.old, strict=True):
        if old is None:
            added[anchor.start if anchor else -1].append(new.text)
            continue
        anchor = old
        if old.text != new.text:
            changed.append(Writing(Target(file.filename, file.content_before, old, add=False), new.text))
    starts = {one.start: one for one in before}
    taken = {writing.target.declaration.start for writing in changed if writing.target.declaration}
    if matches.removed or -1 in added or not taken.isdisjoint(added):
        return None
    behind = ((Target(file.filename, file.content_before, starts[at], add=True), texts) for at, texts in added.items())
    return changed + [Writing(target, "\n\n".join(texts)) for target, texts in behind]


def specs(source: str) -> set[tuple[str, str]]:
    """Return paths and aliases."""
    return {(one.path, one.alias) for one in imports(source)}


def compared(file: ChangedFile, packages: Packages, go: Toolchain | None) -> Iterator[str]:
    """Yield under what a file counts."""
    if not (file.content_before and file.content_after and parse_file_ok(file.content_before)):
        return
    if not (written := writings(file)):
        return
    made = edit(written, packages, go)
    wanted, kind = (
        specs(file.content_after),
        "changed" if specs(file.content_after) != specs(file.content_before) else "same",
    )
    yield from ("files", kind)
    if specs(made.after) == wanted:
        yield f"{kind}, right"
    if made.after == file.content_after:
        yield "whole"


def measure(place: str, most: int) -> None:
    """Print the rows of one clone."""
    ways = {"with a toolchain": toolchain(), "without": None}
    counts = {way: Counter[str]() for way in ways}
    with TemporaryDirectory() as work, opened(place, Path(gettempdir())) as clone:
        subprocess.run(["git", "clone", "--quiet", "--no-checkout", place, work], check=True)
        for one in pull_requests(clone, Commits(clone), most, Clean(), Counter(), lambda: None):
            subprocess.run(["git", "checkout", "--quiet", "--force", one.pull_request.base_sha], cwd=work, check=True)
            tree = WorkingTree(Path(work))
            for way, go in ways.items():
                packages = Packages(tree, go)
                counts[way].update(each for file in one.files for each in compared(file, packages, go))
    for way, count in counts.items():
        cells = (count[name] for name in ("files", "changed", "changed, right", "same, right", "whole"))
        print(f"| {clone.name} | {way} | {' | '.join(map(str, cells))} |", flush=True)


def main(clones: list[str], most: Annotated[int, typer.Option(help="Pull requests of each clone.")] = 60) -> None:
    """Print the table."""
    print("| repository | Go | files | other imports | of them right | of the rest right | whole file as merged |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    for place in clones:
        measure(place, most)


if __name__ == "__main__":
    typer.run(main)
