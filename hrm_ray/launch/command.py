"""What `hrm-ray train` does and prints."""

from __future__ import annotations

from collections.abc import Iterator

from hrm_ray import settings
from hrm_ray.config import Config, Train
from hrm_ray.files import locked
from hrm_ray.launch.address import joins_cluster
from hrm_ray.launch.session import ray_for
from hrm_ray.launch.terminal import Terminal, duration
from hrm_ray.launch.train import train
from hrm_ray.model.size import parameters
from hrm_ray.progress import bars, console
from hrm_ray.train import checkpoint, initial
from hrm_ray.train.communication import sent_bytes
from hrm_ray.train.corpus import read_dataset, read_datasets
from hrm_ray.train.cost import TOKENS_PER_PULL_REQUEST, Cost, expected_steps, measure, rows_each
from hrm_ray.train.examine import examine
from hrm_ray.train.feed import empty_places, open_feed
from hrm_ray.train.fit import advice
from hrm_ray.train.run import roles

LINK = 1e9
"""Bytes a second between two workers that `--show` counts with; docs/cost-model.md has the formula for others."""


def train_all(config: Config) -> None:
    """Train the run, then its baselines and repetitions inside the run's folder, if the data is fit for it."""
    examine(config)
    with ray_for(config):
        for role, one in roles(config).items():
            console.print(f"training {role} into {one.run_dir}: {'; '.join(derived(one))}")
            with bars() as progress, locked(one.run_dir):
                train(one, role, Terminal(progress, role))
            console.print(f"trained; the best checkpoint is {checkpoint.ranking(one.run_dir / 'checkpoints')[0]}")
    console.print(f"curves: tensorboard --logdir {config.run_dir}; next: hrm-ray evaluate {config.run_dir}")


def show(config: Config) -> None:
    """Print the resolved settings, what follows from them, and what they will cost, as measured here."""
    console.print(settings.dump(config).rstrip())
    initial.check(config)
    for role, one in roles(config.model_copy(update={"seeds": 1})).items():
        for fact in (*derived(one), *cost(one)):
            console.print(f"# {role}: {fact}")
    if config.seeds > 1:
        console.print(f"# seeds: all of it {config.seeds} times, each with another seed")


def cost(config: Config) -> Iterator[str]:
    """Yield what a run is expected to take, from a few rows that are trained on and thrown away."""
    prepared = (config.data / "dataset.json").exists()
    if not prepared and config.collect.source not in ("history", "commits"):
        yield "steps and cost: unknown until prepared"
        return
    vocabulary = read_dataset(config)["tokenizer"]["vocab_size"] if prepared else config.prepare.vocab_size
    steps = open_feed(config).horizon if prepared else expected_steps(config)
    if not prepared:
        yield f"{steps:,} steps (a guess until prepared: {TOKENS_PER_PULL_REQUEST:,} tokens a pull request)"
    measured, train = measure(config, vocabulary), config.train
    seconds, memory = measured.row_seconds * rows_each(train), mebibytes(measured.bytes(train))
    yield f"an estimate: {seconds:.1f} s a step, {duration(seconds * steps)} in all, and {memory} for each process"
    yield f"    (measured just now on {measured.rows} rows: {measured.device}, {measured.threads} CPU thread(s);"
    yield f"    validation comes on top{talk(train, measured.parameters)})"
    yield from shortage(train, measured)


def talk(train: Train, parameters: int) -> str:
    """Return what the workers of a step send each other."""
    sent = sent_bytes(train, parameters)
    each = f", and what each worker sends, at most {mebibytes(sent)} a step: {sent / LINK:.2f} s at 1 GB/s"
    return each if sent else ""


def shortage(train: Train, measured: Cost) -> Iterator[str]:
    """Yield what to change where memory will not do; of a cluster's other nodes nothing is known here."""
    together = 1 if joins_cluster() else max(1, train.workers)
    if measured.fits(train, together):
        return
    where = f"the {together} process(es) of this machine" if measured.device == "cpu" else "this GPU"
    advised = advice(train, measured.device, lambda changed: measured.fits(changed, together))
    yield f"will not fit: {mebibytes(measured.free_bytes)} are free for {where}; the change that costs least: {advised}"


def mebibytes(size: float) -> str:
    """Return an amount of memory for people."""
    return f"{size / 2**20:,.0f} MiB"


def derived(config: Config) -> Iterator[str]:
    """Yield what the settings and the dataset come to."""
    train, window = config.train, config.prepare.window
    if not (config.data / "dataset.json").exists():
        yield f"about {parameters(config.model, config.prepare.vocab_size):,} parameters"
        return
    vocabulary = read_datasets(config)[0]["tokenizer"]["vocab_size"]
    feed = open_feed(config)
    begun = f", begun as those of {config.model.init_from}" if config.model.init_from else ""
    yield f"{parameters(config.model, vocabulary):,} parameters{begun}"
    yield f"{feed.horizon:,} steps of at most {train.rows * window:,} tokens"
    if empty := empty_places(train, max(1, train.workers)):
        yield f"{train.rows} rows a step leave {empty} places in the workers' micro-batches of {train.micro_rows} empty"
