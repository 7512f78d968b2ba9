"""Keys, tokens and passwords in a text, and what takes their place.

A secret is told by its form (`forms.py` and gitleaks' rules in `gitleaks.toml`), by the place where it stands
(`places.py`) or by the name before it (`names.py`, from which `values.py` finds the way to the value). The last two
need a value that looks drawn by a program (`drawn.py`), so that words, placeholders and names of variables stay.
"""

from hrm_ray.collect.secrets.finding import Finding, stand_in
from hrm_ray.collect.secrets.search import find

__all__ = ["Finding", "find", "stand_in"]
