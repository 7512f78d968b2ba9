"""A token that the collector is given goes to GitHub and nowhere else, whatever is done with what came."""

from __future__ import annotations

import base64
import gzip
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from hrm_ray.collect.synthetic import pull_requests
from hrm_ray.files import write_text
from tests.collect.github.server import TOKEN, SmallGitHub
from tests.test_cli import hrm_ray

EXPERIMENT = """
name: t
data: {folder}/data
runs: {folder}/runs
collect: {{source: github, github: {{api: "{api}", repositories: [{names}]}}}}
prepare: {{window: 1024, vocab_size: 1024}}
model: {{size: tiny, hidden: 32, heads: 2, intermediate: 64}}
train:
  epochs: 1
  rows: 2
  micro_rows: 2
  judge_rows: 1
  schedule: {{peak: 3e-3, warmup: 0.1}}
  validation: {{every: 10, examples: 8}}
  checkpoint: {{every: 10}}
"""
WRITTEN = ("collection.json", "data_card.md", "dataset.json", "config.yaml", "run.json", "metrics.jsonl")


def is_hidden(content: bytes) -> bool:
    """Whether neither the token stands there nor the form of HTTP's basic authentication."""
    return TOKEN.encode() not in content and base64.b64encode(TOKEN.encode()).rstrip(b"=") not in content


def read(path: Path) -> bytes:
    """The content of a file as it was before it was compressed."""
    if path.suffix == ".gz":
        return gzip.decompress(path.read_bytes())
    return repr(pq.read_table(path).to_pylist()).encode() if path.suffix == ".parquet" else path.read_bytes()


def fill(github: SmallGitHub) -> list[str]:
    """Give the small GitHub the synthetic pull requests, and return its repositories."""
    for each in pull_requests(4, 5, seed=1):
        name = each.repo.full_name
        repo = github.world.repositories.get(name) or github.world.add(name)
        repo.push(
            {file.filename: file.content_before or None for file in each.files} | {"README": str(len(repo.pulls))}
        )
        repo.pull(each.pull_request.title, {file.filename: file.content_after for file in each.files})
    return list(github.world.repositories)


def test_no_file_and_no_output_holds_the_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    config = tmp_path / "t.yaml"
    with SmallGitHub().running() as github:
        config.write_text(EXPERIMENT.format(folder=tmp_path, api=github.address, names=", ".join(fill(github))))
        for verb in ("collect", "prepare", "train"):
            done = hrm_ray(verb, str(config))
            assert done.returncode == 0, done.stderr
            assert is_hidden((done.stdout + done.stderr).encode()), verb
        assert github.asked
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    names = " ".join(path.name for path in written)
    assert all(name in names for name in (*WRITTEN, "tfevents", ".safetensors", ".parquet", ".arrow")), names
    for path in written:
        assert is_hidden(read(path)), path


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("collect={{source: history, clones: ['https://x-access-token:{}@127.0.0.1:9/o/n.git']}}", "credential helper"),
        ("collect={{source: history, clones: ['https://{}@127.0.0.1:9/o/n.git']}}", "credential helper"),
        ("collect.github.token={}", "set GITHUB_TOKEN"),
        ("collect.github={}", "collect.github: expected"),
    ],
)
def test_a_token_in_the_settings_is_written_and_printed_nowhere(tmp_path: Path, setting: str, said: str) -> None:
    write_text(tmp_path / "t.yaml", f"name: t\ndata: {tmp_path}/data\n")
    done = hrm_ray("collect", str(tmp_path / "t.yaml"), "--set", setting.format(TOKEN))
    assert done.returncode == 2
    assert said in done.stderr
    assert is_hidden((done.stdout + done.stderr).encode())
    assert [path.name for path in tmp_path.iterdir()] == ["t.yaml"]
