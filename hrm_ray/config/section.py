"""What every section of the settings is made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Share = Annotated[float, Field(ge=0, le=1)]
Decay = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]


class Section(BaseModel):
    """Base of every part of the tree: frozen, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class WarmUp(Section):
    """What begins with a warm-up: `warmup` of the steps of the horizon that the run begins with, or `warmup_steps`."""

    warmup: Share | None
    warmup_steps: Annotated[int, Field(ge=0)] | None = None

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
