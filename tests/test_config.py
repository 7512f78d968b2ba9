"""Settings are refused at load, with the reason; every shipped experiment loads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from hrm_ray import settings
from hrm_ray.config import CHANGEABLE_ON_RESUME, Config
from hrm_ray.errors import UserError
from hrm_ray.settings import ConfigError
from hrm_ray.yaml_text import parse_yaml
from tests.collect.planted import planted
from tests.conftest import ROOT

FILES = sorted((ROOT / "experiments").glob("*.yaml"))
EXPERIMENTS = [path for path in FILES if not path.stem.startswith("tune-")]  # those are searches: tests/tune


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "some.yaml"
    path.write_text("name: some\ndata: data/some\ntrain: {schedule: {peak: 1e-3}}\n")
    return path


def test_a_dump_keeps_keys_beside_their_values() -> None:
    config = settings.load(ROOT / "experiments" / "demo.yaml")
    assert "peak: 0.003, warmup: 0.03" in settings.dump(config)


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_every_experiment_loads(path: Path) -> None:
    config = settings.load(path)
    assert config.name == path.stem
    assert settings.parse(parse_yaml(settings.dump(config), "dump"), "dump") == config


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_every_experiment_has_a_smoke_twin_or_is_one(path: Path) -> None:
    assert path.stem.endswith(".smoke") or path.with_suffix(".smoke.yaml").exists()


def test_yaml_1_2_reads_numbers_as_numbers(file: Path) -> None:
    assert settings.load(file).train.schedule.peak == 1e-3
    assert settings.load(file, ["train.schedule.peak=2e-4"]).train.schedule.peak == 2e-4


CONTRADICTIONS = {
    "train.mixture=[{data: a, weight: 0.4}, {data: b, weight: 0.6}]": "train mixture 1",
    "train.mixture=[{data: data/some, weight: 0.5}]": "train.mixture data",
    "train.judge_rows=16": "train judge_rows 16",
    "train.judge_rows=0": "train losses.refinement judge_rows 0",
    "train.schedule={warmup: 0.1, warmup_steps: 10}": "train.schedule warmup warmup_steps",
    "train.schedule.warmup=null": "train.schedule warmup warmup_steps",
    "model.depth={warmup: 0.1, warmup_steps: 10}": "model.depth warmup warmup_steps",
    "model.depth.min=2": "model depth.min 2 h_cycles 3 inject",
    "model.depth.max=9": "model depth 8..9 8",
    "model.heads=7": "model hidden 128 heads 7",
    "prepare.split.shares.train=0.9": "prepare.split.shares 1.2 1",
    "prepare.split.shares={train: 0, judge: 0.8}": "prepare.split.shares train 0",
    "prepare.split.shares={train: 0.8, judge: 0}": "train.judge_rows prepare.split.shares.judge 0",
    "baselines=[equal_flops, equal_flops]": "baselines",
    "collect.source=history": "collect source history clones",
    "collect.source=github": "collect github.repositories github.organizations github.search.stars",
    "collect.github.repositories=[a/b]": "collect github source synthetic",
    "collect={source: github, repositories: 1, github: {repositories: [a/b, a/c]}}": "github.repositories 2 1",
    "collect={source: github, github: {repositories: [a/b, A/B]}}": "collect.github repositories",
    "collect={source: github, clones: [x], github: {organizations: [o]}}": "clones source github",
    "collect.github.search.licenses=[MIT]": "collect.github.search licenses stars",
    "collect.github.search.stars=[5, 4]": "collect.github.search stars [5, 4]",
    "collect.github.api=http://ghe.example/api/v3": "collect.github api http://ghe.example/api/v3 https",
    "collect.github.api=https://github.com": "collect.github api https://api.github.com",
    "collect.clones=[a/b]": "collect clones source synthetic",
    "collect={source: functions, clones: [a, a/]}": "collect clone",
    "clean.go_files=[3, 2]": "clean go_files [3, 2]",
    "clean.added_lines=[9, 2]": "clean added_lines [9, 2]",
}


@pytest.mark.parametrize(("override", "named"), CONTRADICTIONS.items())
def test_settings_that_contradict_each_other_are_named(file: Path, override: str, named: str) -> None:
    with pytest.raises(ConfigError) as caught:
        settings.load(file, [override])
    said = str(caught.value)
    assert said.startswith(f"--set {override.partition('=')[0]}: ")
    assert [word for word in named.split() if word not in said] == []
    assert "\n" not in said


@pytest.mark.parametrize(
    ("licenses", "named"),
    [("MIT", "`any`"), ("[]", "[]"), ("[MTI]", "'MTI'"), ("[NOASSERTION]", "`any`"), ("[MIT OR ISC]", "OR")],
)
def test_licenses_are_a_list_of_spdx_ids(file: Path, licenses: str, named: str) -> None:
    with pytest.raises(ConfigError) as caught:
        settings.load(file, [f"clean.licenses={licenses}"])
    assert str(caught.value).startswith("--set clean.licenses: ")
    assert named in str(caught.value)


FORMS = [
    "collect.github.token={}",
    "collect.github.GITHUB_TOKEN={}",
    "collect.token={}",
    "collect.github.api=https://me:{}@ghe.example/api/v3",
    "collect.github.api=https://{}@ghe.example/api/v3",
    "collect.github.api=https://api.github.com?access_token={}",
    "collect={{source: github, github: {{api: 'http://{}', repositories: [a/b]}}}}",
    "collect={{source: github, github: '{}'}}",
    "collect={{source: github, github: {{repositories: ['https://{}@github.com/a/b']}}}}",
    "collect={{source: github, github: {{repositories: ['https://x:{}@github.com/a/b']}}}}",
    "collect={{source: github, github: {{'{}': 1}}}}",
    "collect={{source: history, clones: '{}'}}",
    "collect={{source: history, clones: [a, 'https://x-access-token:{}@host/a/b.git']}}",
    "collect={{source: history, clones: [a, 'https://{}@host/a/b.git']}}",
    "collect={{source: history, clones: [a, 'ssh://me:{}@host/a/b.git']}}",
    "collect={{source: functions, clones: ['https://host/a/b.git?private_token={}']}}",
    "clean.licenses=['{}']",
    "train.epochs={}",
    "name='{}/'",
    "collect.github.token:{}",
    "{}",
    "collect.github.token={}: : x",
    "collect.github.token='{}",
    "name.x.{}=3",
]
TOKENS = [name for name, (text, _) in planted(0).items() if re.fullmatch(r"[\w.~-]+", text)]
"""Secrets that stand alone, not in a URL or behind a name."""


@pytest.mark.parametrize("form", FORMS)
def test_a_secret_in_the_settings_is_refused_and_not_repeated(file: Path, form: str) -> None:
    for name in TOKENS:
        text, secret = planted(1)[name]
        with pytest.raises(ConfigError) as caught:
            settings.load(file, [form.format(text)])
        assert secret not in str(caught.value), name


@pytest.mark.parametrize("form", [form for form in FORMS if "@" in form or "oken" in form])
def test_a_short_password_is_not_repeated_where_one_may_stand(file: Path, form: str) -> None:
    with pytest.raises(ConfigError) as caught:
        settings.load(file, [form.format("hunter2")])
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("line", ["token: {}: x", "token: [{}", "token: '{}", "? {} : - x"])
def test_a_file_that_is_not_yaml_is_not_quoted(tmp_path: Path, line: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(f"name: some\n{line.format('hunter2')}\n")
    with pytest.raises(UserError, match=r"bad\.yaml: not valid YAML: .*, line \d, column \d+") as caught:
        settings.load(path)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://me:pw@host/a",
        "https://token@host/a",
        "HTTP://x@host/a",
        "ssh://git:pw@host/a",
        "https://host/a?token=x",
    ],
)
def test_credentials_of_a_clone_belong_to_gits_helper(file: Path, url: str) -> None:
    with pytest.raises(ConfigError, match=r"clones\.1 .* git credential helper"):
        settings.load(file, [f"collect={{source: history, clones: [x, '{url}']}}"])


@pytest.mark.parametrize(
    "place", ["https://host:8080/a/b.git", "ssh://git@host/a", "git@host:a/b.git", "../a@b", "git+ssh://me@host/a?b"]
)
def test_other_addresses_of_clones_are_fine(file: Path, place: str) -> None:
    assert settings.load(file, [f"collect={{source: history, clones: ['{place}']}}"]).collect.clones == (place,)


def test_spdx_ids_may_be_written_in_any_case(file: Path) -> None:
    assert settings.load(file, ["clean.licenses=[mit, apache-2.0]"]).clean.licenses == ("MIT", "Apache-2.0")
    assert settings.load(file, ["clean.licenses=any"]).clean.licenses == "any"


def test_a_warm_up_in_steps_takes_the_place_of_the_share(file: Path) -> None:
    config = settings.load(file, ["train.schedule.warmup_steps=10", "model.depth.warmup_steps=5"])
    assert (config.train.schedule.warmup, config.model.depth.warmup) == (None, None)
    assert settings.parse(parse_yaml(settings.dump(config), "dump"), "dump") == config
    assert settings.load(file).train.schedule.warmup_length(100) == 5


def test_injection_lifts_the_limit_on_depth(file: Path) -> None:
    assert settings.load(file, ["model.depth.min=2", "model.inject=true"]).model.depth.min == 2


@pytest.mark.parametrize("text", ["a: [", "- 1", "", "name: \x00"])
def test_a_file_that_is_no_tree_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=r"bad\.yaml"):
        settings.load(path)


def test_an_override_changes_one_section_of_two_that_share_an_anchor(file: Path) -> None:
    shared = "prepare: &p {workers: 1}\ntrain: {<<: *p, schedule: &s {warmup: 0.1}}\nmodel: {depth: *s}\n"
    file.write_text(f"name: some\ndata: d\n{shared}")
    config = settings.load(file, ["train.schedule.warmup=0.3", "prepare.workers=4"])
    assert (config.train.schedule.warmup, config.model.depth.warmup) == (0.3, 0.1)
    assert (config.prepare.workers, config.train.workers) == (4, 1)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml: cannot be read"):
        settings.load(tmp_path / "none.yaml")


def test_the_tree_is_frozen(file: Path) -> None:
    config = settings.load(file)
    with pytest.raises(ValidationError):
        config.train.epochs = 2


def test_a_plain_model_has_no_plain_baseline(file: Path) -> None:
    with pytest.raises(ConfigError, match=r"model\.mode is plain already"):
        settings.load(file, ["model.mode=plain", "baselines=[equal_parameters]"])


def test_keys_beside_a_size_override_it(file: Path) -> None:
    assert settings.load(file, ["model.size=small", "model.layers=2"]).model.layers == 2
    assert settings.load(file, ["model.size=small"]).model.hidden == 512


def test_only_listed_keys_may_change_on_resume(file: Path) -> None:
    old = settings.load(file)
    allowed = ["train.epochs=9", "evaluate.batch=3", "train.checkpoint.every=7", "baselines=[equal_flops]"]
    assert settings.resume_conflicts(old, settings.load(file, allowed)) == []
    refused = settings.load(file, ["train.schedule.peak=1e-2", "seed=4"])
    assert settings.resume_conflicts(old, refused) == ["seed", "train.schedule.peak"]
    assert all(_exists(Config, key.split(".")) for key in CHANGEABLE_ON_RESUME)


def _exists(section: object, path: list[str]) -> bool:
    fields = getattr(section, "model_fields", {})
    return not path or (path[0] in fields and _exists(fields[path[0]].annotation, path[1:]))


@pytest.mark.parametrize("form", [["model.mode=plain"], ["model.shared=true"]])
def test_one_stack_has_one_depth(file: Path, form: list[str]) -> None:
    with pytest.raises(ConfigError, match="has one stack, of `layers` blocks: leave h_layers and l_layers out"):
        settings.load(file, [*form, "model.h_layers=2"])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], (8, 8)),
        (["model.l_cycles=1"], (4, 4)),
        (["model.depth.min=4"], (4, 8)),
        (["model.depth={min: 3, max: 5}"], (3, 5)),
    ],
)
def test_all_passes_have_gradient_unless_depth_says_otherwise(
    file: Path, given: list[str], expected: tuple[int, int]
) -> None:
    depth = settings.load(file, given).model.depth
    assert (depth.min, depth.max) == expected
