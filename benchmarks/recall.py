"""How often the declarations that a pull request really changed are among the best that `generate` ranks for it.

    python benchmarks/recall.py ../chi ../echo

Reads the newest pull requests of clones: all declarations of the tree at a request's base, tests left out, are ranked
by its title and body, and those that it changed or removed are the truth; requests that change none are left out.
Prints the share of the truth among the best 5 and 10, how often one of it is among 10, the mean reciprocal rank of the
first, and the same of ranking by the words of paths alone and of chance.
"""

from __future__ import annotations

import random
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import gettempdir
from typing import Annotated

import typer

from hrm_ray.collect.commits import Commits
from hrm_ray.collect.differences import RAW, entries
from hrm_ray.collect.git import GO_FILES, Clone, Objects, opened
from hrm_ray.collect.history import pull_requests
from hrm_ray.collect.records import PullRequest
from hrm_ray.config import Clean
from hrm_ray.golang.declarations import declarations
from hrm_ray.patch.ranking import Ranking, words
from hrm_ray.patch.target import Problem

Named = tuple[str, str]
"""Path and name of a declaration."""


def truth(pull_request: PullRequest) -> set[Named]:
    """Return the declarations before that are not there, or not the same, after."""
    found: set[Named] = set()
    for file in pull_request.files:
        if file.content_before and not file.filename.endswith("_test.go"):
            after = {one.text for one in declarations(file.content_after)}
            found.update(
                (file.filename, one.name) for one in declarations(file.content_before) if one.text not in after
            )
    return found


def tree(clone: Clone, objects: Objects, commit: str) -> dict[str, str]:
    """Return the Go files of a commit that people wrote, by path."""
    empty = clone.run("hash-object", "-t", "tree", "--stdin").decode().strip()
    listed = entries(clone.run("diff-tree", "-r", "-z", *RAW, empty, commit, "--", *GO_FILES))
    return {one.path: (objects.read(one.after) or b"").decode("utf-8", "replace") for one in listed}


def orders(files: dict[str, str], problem: Problem, seed: int) -> Iterator[tuple[str, list[Named]]]:
    """Yield the declarations of a tree as each way ranks them, the best first."""
    ranking = Ranking(files)
    places = [(one.path, one.name) for one in ranking.places]
    yield "BM25", [places[at] for at in ranking.order(problem)]
    yield "BM25, title alone", [places[at] for at in ranking.order(Problem(problem.title))]
    random.Random(seed).shuffle(places)
    yield "chance", places
    asked = set(words(f"{problem.title} {problem.body}"))
    shared = {path: len(asked.intersection(words(path))) for path in files}
    yield "paths alone", sorted(places, key=lambda place: -shared[place[0]])


def figures(ranked: Sequence[list[int]]) -> str:
    """Return the cells of a row; `ranked` holds the ranks of the truth of each pull request, ascending."""
    recall = [sum(sum(rank <= at for rank in ranks) / len(ranks) for ranks in ranked) / len(ranked) for at in (5, 10)]
    hit = sum(ranks[0] <= 10 for ranks in ranked) / len(ranked)
    reciprocal = sum(1 / ranks[0] for ranks in ranked) / len(ranked)
    return " | ".join(f"{value:.3f}" for value in (*recall, hit, reciprocal))


def measure(place: str, most: int) -> None:
    """Print the rows of one clone."""
    found: defaultdict[str, list[list[int]]] = defaultdict(list)
    sizes: list[int] = []
    began = time.perf_counter()
    with opened(place, Path(gettempdir())) as clone, Objects(clone) as objects:
        for one in pull_requests(clone, Commits(clone), most, Clean(), Counter(), lambda: None):
            if not (changed := truth(one)):
                continue
            request = one.pull_request
            files = tree(clone, objects, request.base_sha)
            for way, order in orders(files, Problem(request.title, request.body), request.number):
                first = {place: rank for rank, place in reversed(list(enumerate(order, start=1)))}
                found[way].append(sorted(first.get(place, 1 << 30) for place in changed))
                sizes.append(len(order))
    seconds = (time.perf_counter() - began) / max(1, len(found["BM25"]))
    for way, ranked in found.items():
        print(
            f"| {clone.name} | {len(ranked)} | {max(sizes)} | {way} | {figures(ranked)} | {seconds:.2f} |", flush=True
        )


def main(clones: list[str], most: Annotated[int, typer.Option(help="Pull requests of each clone.")] = 60) -> None:
    """Print the table."""
    print("| repository | pull requests | declarations | ranked by | recall at 5 | at 10 | one in 10 | MRR | s each |")
    print("| --- | ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: |")
    for place in clones:
        measure(place, most)


if __name__ == "__main__":
    typer.run(main)
