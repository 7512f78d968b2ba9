from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from functools import cache
from itertools import islice

import pytest
from datasketch import MinHash, MinHashLSH

from hrm_ray.collect import synthetic
from hrm_ray.collect.records import PullRequest
from hrm_ray.collect.synthetic import pull_requests
from hrm_ray.collect.synthetic.requests import history, new_project
from hrm_ray.prepare.examples import Example
from hrm_ray.prepare.extract import extract


@cache
def sample() -> list[PullRequest]:
    return list(pull_requests(12, 40, seed=3))


def test_a_pure_function_of_its_arguments_in_any_process() -> None:
    code = "from hrm_ray.collect.synthetic import pull_requests as p; print(hash_of(list(p(2, 6, 8))))"
    code = "import hashlib\nhash_of = lambda x: hashlib.sha256(repr(x).encode()).hexdigest()\n" + code
    hashes = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True, text=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(hashes) == 1
    assert list(pull_requests(1, 3, 8)) != list(pull_requests(1, 3, 9))


def test_a_repository_does_not_depend_on_how_many_there_are() -> None:
    assert [each for each in pull_requests(3, 4, 1) if each.repo.full_name.endswith("-1")] == list(history(1, 4, 1))
    assert list(islice(history(1, 9, 1), 4)) == list(history(1, 4, 1))


def test_each_request_starts_where_the_last_one_ended() -> None:
    state = {path: source for package in new_project(2, 3).packages for path, source in package.files.items()}
    last: PullRequest | None = None
    for each in history(2, 40, 3):
        request = each.pull_request
        assert re.fullmatch(r"[0-9a-f]{40}", request.base_sha)
        assert request.base_sha != request.head_sha
        assert request.created_at < request.merged_at
        if last is not None:
            assert request.base_sha == last.pull_request.head_sha
            assert request.number > last.pull_request.number
            assert request.created_at >= last.pull_request.merged_at
        for file in each.files:
            assert state.get(file.filename, "") == file.content_before
            state[file.filename] = file.content_after
        last = each


def test_patches_and_counts_are_those_of_the_contents() -> None:
    for each in sample()[::7]:
        for file in each.files:
            assert file.content_before != file.content_after
            assert file.valid_syntax
            assert file.status == ("modified" if file.content_before else "added")
            before, after = file.content_before.splitlines(), file.content_after.splitlines()
            assert len(after) - len(before) == file.additions - file.deletions
            assert applied(before, file.patch) == after


def applied(before: list[str], patch: str) -> list[str]:
    after: list[str] = []
    at = 0
    for line in patch.splitlines():
        head = re.match(r"@@ -(\d+)(?:,(\d+))? ", line)
        if head:
            start = int(head[1]) - (head[2] != "0")
            after += before[at:start]
            at = start
        elif line[0] == "+":
            after.append(line[1:])
        else:
            assert before[at] == line[1:]
            after += [before[at]] if line[0] == " " else []
            at += 1
    return after + before[at:]


def test_shape_of_the_whole() -> None:
    bodies = sum(not each.pull_request.body for each in sample()) / len(sample())
    assert 0.3 < bodies < 0.5
    titles = Counter(each.pull_request.title for each in sample())
    assert len(titles) > 0.97 * len(sample())
    assert max(len(each.pull_request.title) for each in sample()) < 500
    assert all(each.repo.full_name.startswith("synthetic/") and each.repo.license == "Apache-2.0" for each in sample())
    assert synthetic.__doc__


def written(example: Example) -> str:
    """What a change writes: the added lines of a modification, the whole of an addition."""
    before = set(example.before.splitlines())
    return "\n".join(line for line in example.code.splitlines() if line not in before)


def shingles(written_text: str) -> set[str]:
    tokens = re.findall(r"\w+|[^\w\s]", written_text)
    return {" ".join(tokens[at : at + 5]) for at in range(max(1, len(tokens) - 4))}


@pytest.mark.timeout(120)
def test_few_near_duplicates() -> None:
    drops: Counter[str] = Counter()
    examples = [example for each in sample() for example in extract(each, 12, drops)]
    assert len(examples) > 500
    assert 0.3 < sum(each.change == "added" for each in examples) / len(examples) < 0.7
    index, sets, copies = MinHashLSH(threshold=0.75, num_perm=64), [shingles(written(each)) for each in examples], 0
    for number, grams in enumerate(sets):
        sketch = MinHash(num_perm=64)
        sketch.update_batch([gram.encode() for gram in grams])
        near = [sets[other] for other in index.query(sketch)]
        copies += any(len(grams & other) >= 0.8 * len(grams | other) for other in near)
        index.insert(number, sketch)
    assert copies / len(examples) < 0.05
