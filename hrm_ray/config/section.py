"""What every section of the settings is made of."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from hrm_ray.paths import local


def _no_flag(given: Any) -> Any:  # noqa: ANN401 - pydantic hands over whatever the file held
    """Refuse `true`, which pydantic takes for a 1."""
    if isinstance(given, bool):
        raise PydanticCustomError("number_type", "expected a number")
    return given


def _local(given: Any) -> Any:  # noqa: ANN401
    return local(given) if isinstance(given, str | Path) else given


NUMBER = BeforeValidator(_no_flag)
"""Of a number, behind its bounds."""
Number = Annotated[float, NUMBER]
Share = Annotated[float, Field(ge=0, le=1), NUMBER]
Decay = Annotated[float, Field(ge=0, lt=1), NUMBER]
Positive = Annotated[float, Field(gt=0), NUMBER]
NonNegative = Annotated[float, Field(ge=0), NUMBER]
Count = Annotated[int, Field(ge=1), NUMBER]
Whole = Annotated[int, Field(ge=0), NUMBER]
Seed = Annotated[int, Field(ge=0, lt=2**32), NUMBER]
Name = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
        max_length=100,
        description="a name (letters, digits, '.', '_' and '-', the first a letter or digit; at most 100)",
    ),
]
LocalPath = Annotated[Path, BeforeValidator(_local)]
"""A file or folder on this machine, as `hrm_ray.paths` reads it."""


class Section(BaseModel):
    """Base of every part of the tree: frozen, all numbers finite, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False)


class WarmUp(Section):
    """What begins with a warm-up: `warmup` of the steps of the horizon that the run begins with, or `warmup_steps`."""

    warmup: Share | None
    warmup_steps: Whole | None = None

    @model_validator(mode="before")
    @classmethod
    def _steps_replace_the_share(cls, given: Any) -> Any:  # noqa: ANN401 - pydantic hands over whatever the file held
        if isinstance(given, Mapping) and given.get("warmup_steps") is not None:
            return {"warmup": None, **given}
        return given

    @model_validator(mode="after")
    def _is_one_length(self) -> Self:
        if (self.warmup is None) == (self.warmup_steps is None):
            raise ValueError("give the length of the warm-up as one of warmup and warmup_steps, the other as null")
        return self

    def warmup_length(self, horizon: int) -> float:
        """Return it in steps."""
        return (self.warmup or 0) * horizon if self.warmup_steps is None else self.warmup_steps
