"""One run is one frozen tree of settings.

A setting that contradicts another is refused here, before any work starts; `hrm_ray.settings` reads the tree from a
file and turns a refusal into one sentence.
"""

from hrm_ray.config.clean import PERMISSIVE, Clean
from hrm_ray.config.collect import Collect
from hrm_ray.config.engine import Ema
from hrm_ray.config.model import Depth, Model
from hrm_ray.config.prepare import Budgets, Prepare, Shares, Split
from hrm_ray.config.section import Count, Section
from hrm_ray.config.train import Losses, Optimizer, Schedule, Train
from hrm_ray.config.tree import CHANGEABLE_ON_RESUME, Config, Evaluate

__all__ = [
    "CHANGEABLE_ON_RESUME",
    "PERMISSIVE",
    "Budgets",
    "Clean",
    "Collect",
    "Config",
    "Count",
    "Depth",
    "Ema",
    "Evaluate",
    "Losses",
    "Model",
    "Optimizer",
    "Prepare",
    "Schedule",
    "Section",
    "Shares",
    "Split",
    "Train",
]
