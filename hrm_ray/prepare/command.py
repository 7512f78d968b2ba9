"""What `hrm-ray prepare` prints around its work."""

from __future__ import annotations

from rich.progress import Progress

from hrm_ray.config import Config
from hrm_ray.prepare import data_card
from hrm_ray.prepare.pipeline import Session, prepare


def prepare_dataset(config: Config, progress: Progress, session: Session) -> None:
    """Prepare the dataset, in a `session` of Ray if there is work to do, and say what came of it."""
    say = progress.console.print
    settings = config.prepare
    say(f"preparing {config.pull_requests} into {config.data}: window {settings.window}, split by {settings.split.by}")
    facts = prepare(config, progress, session)
    folds = ", ".join(f"{fold} {entry['examples']:,}" for fold, entry in facts["folds"].items())
    say(f"examples: {folds}; tokenizer: {facts['tokenizer']['vocab_size']:,} tokens")
    if written := facts["folds"]["train"]["functions"]:
        say(f"{written:,} of the training examples are documented functions, the others changes")
    for reason, count in sorted(facts["drops"].items(), key=lambda item: -item[1]):
        say(f"  dropped {count:,}: {reason}")
    for place in facts["unreadable"]:
        say(f"  skipped: {place}")
    if facts["scrubbed"]:
        say(f"  blotted out {sum(facts['scrubbed'].values()):,} secrets and personal data")
    say(f"{config.data / data_card.NAME} says what is in it; next: hrm-ray train CONFIG")
