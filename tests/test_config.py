"""Settings are refused at load, with the reason; every shipped experiment loads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from hrm_ray import settings
from hrm_ray.config import CHANGEABLE_ON_RESUME, Config
from hrm_ray.errors import UserError
from hrm_ray.files import parse_yaml
from hrm_ray.settings import ConfigError
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
    assert "peak: 0.003, warmup: 0.1" in settings.dump(config)


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


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        (
            "model.hiden=4",
            r"some\.yaml: model\.hiden is not a key; did you mean hidden\? valid here: size, mode, hidden",
        ),
        ("trian.rows=4", r"trian is not a key; did you mean train\? valid here: name, data"),
        ("train.mixture=[{data: a, weight: 0.4}, {data: b, weight: 0.6}]", r"train: the weights of mixture sum to 1, "),
        ("train.mixture=[{data: a, weight: 1}]", r"train\.mixture\.0\.weight: .*less than 1"),
        (
            "train.mixture=[{data: a, weight: 0.5, datum: b}]",
            r"train\.mixture\.0\.datum is not a key; did you mean data\? valid here: data, weight",
        ),
        ("train.mixture=[{data: data/some, weight: 0.5}]", r"train\.mixture names a dataset twice, or names data"),
        ("train.judge_rows=16", r"judge_rows 16 leaves none of the 16 rows"),
        ("train.judge_rows=0", r"losses\.refinement is above 0 but judge_rows is 0"),
        ("train.schedule.peak=fast", r"train\.schedule\.peak: .*valid number.*'fast'"),
        (
            "train.schedule={warmup: 0.1, warmup_steps: 10}",
            r"train\.schedule: give the length of the warm-up as one of warmup and warmup_steps, the other as null",
        ),
        ("train.schedule.warmup=null", r"train\.schedule: give the length of the warm-up as one of"),
        ("train.schedule.warmup=5", r"train\.schedule\.warmup: .*less than or equal to 1"),
        ("train.schedule.warmup_steps=0.1", r"train\.schedule\.warmup_steps: .*valid integer.*0\.1"),
        ("model.depth={warmup: 0.1, warmup_steps: 10}", r"model\.depth: give the length of the warm-up as one of"),
        ("train.schedule.kind=step", r"train\.schedule\.kind: .*'cosine', 'linear', 'wsd' or 'constant'.*'step'"),
        (
            "model.depth.min=2",
            r"model: depth\.min 2 is below h_cycles \+ 1 = 3, .* without gradient; raise it or set inject",
        ),
        ("model.depth.max=9", r"depth 3\.\.9 must rise and stay within 8 passes"),
        ("model.heads=7", r"hidden 128 over 7 heads"),
        ("model.size=huge", r"model\.size: .*'tiny', 'small'.*'huge'"),
        ("prepare.split.shares.train=0.9", r"prepare\.split\.shares: the shares sum to 1\.2, not to 1"),
        ("prepare.split.shares={train: 0, judge: 0.8}", r"the share of train is 0"),
        (
            "prepare.split.shares={train: 0.8, judge: 0}",
            r"judge_rows is above 0 but prepare\.split\.shares\.judge is 0",
        ),
        ("train.optimizer.betas=[0.9, 1.0]", r"train\.optimizer\.betas\.1: .*less than 1"),
        ("baselines=[equal_flops, equal_flops]", r"baselines names one twice"),
        ("data=[", r"--set data: the value is not valid YAML"),
        ("collect.source=history", r"collect: source history needs clones"),
        ("collect.source=gitlab", r"collect\.source: .*'synthetic', 'history', 'github' or 'functions'.*'gitlab'"),
        ("collect.source=github", r"collect: source github needs github\.repositories, .* or github\.search\.stars"),
        ("collect.github.repositories=[a/b]", r"collect: github names repositories but source is synthetic"),
        ("collect={source: github, github: {repositories: [a]}}", r"collect\.github\.repositories\.0: .*pattern.*'a'"),
        (
            "collect={source: github, repositories: 1, github: {repositories: [a/b, a/c]}}",
            r"collect: github\.repositories lists 2, and at most 1 are taken; raise repositories",
        ),
        (
            "collect={source: github, github: {repositories: [a/b, A/B]}}",
            r"collect\.github: repositories lists one twice",
        ),
        ("collect={source: github, clones: [x], github: {organizations: [o]}}", r"source is github, which reads none"),
        ("collect.github.search.licenses=[MIT]", r"collect\.github\.search: licenses are given but stars is not"),
        ("collect.github.search.stars=[5, 4]", r"collect\.github\.search: stars \[5, 4\] finds nothing"),
        ("collect.github.search.star=5", r"collect\.github\.search\.star is not a key; did you mean stars\?"),
        (
            "collect.github.comment=true",
            r"collect\.github\.comment is not a key; did you mean comments\? valid here: rep",
        ),
        ("collect.github.api=http://ghe.example/api/v3", r"would be sent the token unencrypted; use https"),
        ("collect.github.api=https://github.com", r"is not GitHub's API; that is https://api\.github\.com or"),
        ("collect.clones=[a/b]", r"collect: clones are given but source is synthetic"),
        ("collect={source: functions, clones: [a, a]}", r"collect: a clone is listed twice"),
        ("clean.go_files=[3, 2]", r"clean: go_files \[3, 2\] leaves nothing"),
        ("clean.added_lines=[9, 2]", r"clean: added_lines \[9, 2\] leaves nothing"),
        ("clean.files=3", r"clean\.files is not a key; .*valid here: licenses, leave_out, go_files, added_lines"),
        ("clean.licenses=MIT", r"clean\.licenses: expected a list of SPDX ids such as .*, or `any`.*'MIT'"),
        ("clean.licenses=[]", r"clean\.licenses: expected a list of SPDX ids"),
        ("clean.licenses=[MTI]", r"clean\.licenses: 'MTI' is not an SPDX license id"),
        ("clean.licenses=[NOASSERTION]", r"'NOASSERTION' is not an SPDX license id; .* is allowed by `any` only"),
        ("clean.licenses=[MIT OR ISC]", r"'MIT OR ISC' is an expression; list its licenses one by one"),
        ("clean.leave_out=[bot]", r"clean\.leave_out\.0: .*'bots', 'reverts', 'releases' or 'backports'.*'bot'"),
        ("name=a/b", r"name: .*'a/b'"),
        ("train", r"--set train: expected key\.path=value"),
        ("name.first=x", r"--set name\.first: name is a value, not a section"),
    ],
)
def test_what_is_wrong_is_named(file: Path, override: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence) as caught:
        settings.load(file, [override])
    assert "\n" not in str(caught.value)


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
    said = r"collect: clones\.1 holds more than an address; .* git credential helper"
    with pytest.raises(ConfigError, match=said):
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
