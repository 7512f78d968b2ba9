"""A trace of some steps by torch's own profiler, for those who ask where the time goes; no number changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from torch.profiler import profile

from hrm_ray.config import Config


class Tracer:
    """Writes `profile/rank-N.json.gz` of the steps that `train.profile` names, on every rank."""

    def __init__(self, config: Config, rank: int, horizon: int, say: Callable[[str], None]) -> None:
        first, last = config.train.profile or (1, 0)
        self.first, self.last = first, min(last, horizon)
        self.path: Path = config.run_dir / "profile" / f"rank-{rank}.json.gz"
        self.say, self.profiler, self.since = say, profile(), 0
        if config.train.profile and first > horizon:
            say(f"train.profile {list(config.train.profile)} lies beyond the run's {horizon} steps: nothing is traced")

    @contextmanager
    def over(self, step: int) -> Iterator[None]:
        """Record the block, which makes the step `step`, where it is one of those named."""
        if not self.first <= step <= self.last:
            yield
            return
        if not self.since:  # a resumed run may begin among them
            self.since = step
            self.profiler.start()
        try:
            yield
        except BaseException:  # a run that ends here is the one to look at
            self.write()
            raise
        if step == self.last:
            self.write()

    def write(self) -> None:
        """Stop recording, and write what was recorded."""
        self.profiler.stop()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.profiler.export_chrome_trace(str(self.path))
        self.say(f"steps {self.since} to {self.last} are traced in {self.path}; chrome://tracing or Perfetto shows it")
