"""Settings of the network."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from hrm_ray.config.section import NUMBER, Count, LocalPath, Positive, Section, Share, WarmUp
from hrm_ray.yaml_text import parse_yaml


@cache
def _of_size(size: str) -> Mapping[str, Any]:
    """Return what a size stands for."""
    return parse_yaml(resources.files("hrm_ray.model").joinpath(f"sizes/{size}.yaml").read_text("utf-8"), size)


SIZES = ("tiny", "small", "base", "large", "xl")


class Depth(WarmUp):
    """Passes that carry gradient: grows from `min` to `max` over the warm-up. Without either it is all passes, of which
    the first must learn to read (docs/log.md, 2026-11-30)."""

    min: Annotated[int, Field(ge=2), NUMBER]
    max: Annotated[int, Field(ge=2), NUMBER]
    warmup: Share | None = 0.2


class Model(Section):
    """The shape of the network. `size` names a file of `hrm_ray/model/sizes/`; keys beside it override that file."""

    size: Literal["tiny", "small", "base", "large", "xl"] = "tiny"
    mode: Literal["hrm", "plain"] = "hrm"
    hidden: Count
    layers: Count
    """Blocks in each of the two stacks; in `plain` mode, blocks in the one stack."""
    h_layers: Count | None = None
    """Blocks in the planner, where they are not `layers`."""
    l_layers: Count | None = None
    """Blocks in the coder, where they are not `layers`."""
    shared: bool = False
    """One stack is planner and coder in turn; with `inject` that is the recurrence of TRM (arXiv 2510.04871)."""
    heads: Count
    intermediate: Count
    tied: bool = True
    h_cycles: Count = 2
    l_cycles: Count = 3
    depth: Depth
    embedding_scale: Positive
    """Embeddings begin with a standard deviation of 1 / embedding_scale and are multiplied by it: the smaller, the more
    certain is a tied head at the start."""
    induction: bool = True
    """Begin with heads that find what stood behind earlier occurrences of a token (`hrm_ray.model.induction`)."""
    inject: bool = False
    """Add the embedding to the input of every L pass."""
    rope_theta: Positive = 1e4
    norm_eps: Positive = 1e-6
    init_from: LocalPath | None = None
    """Folder whose weights a run starts from: of `hrm-ray export`, or of `transformers`' HrmTextForCausalLM."""

    @model_validator(mode="before")
    @classmethod
    def _fill_from_size(cls, given: Any) -> Any:  # noqa: ANN401 - pydantic hands over whatever the file held
        if not isinstance(given, Mapping) or given.get("size", "tiny") not in SIZES:
            return given
        return {**_of_size(given.get("size", "tiny")), **given}

    @model_validator(mode="before")
    @classmethod
    def _fill_depth(cls, given: Any) -> Any:  # noqa: ANN401
        if not isinstance(given, Mapping) or not isinstance(depth := given.get("depth", {}), Mapping):
            return given
        h, low = (given.get(name, cls.model_fields[name].default) for name in ("h_cycles", "l_cycles"))
        if not (isinstance(h, int) and isinstance(low, int)):
            return given
        every = h * (low + 1)
        return {**given, "depth": {"min": every, "max": every, **depth}}

    @model_validator(mode="after")
    def _is_trainable(self) -> Self:
        if self.hidden % self.heads or (self.hidden // self.heads) % 2:
            raise ValueError(f"hidden {self.hidden} over {self.heads} heads is not an even whole number per head")
        other = [name for name in ("inject", "shared", "h_layers", "l_layers") if getattr(self, name)]
        if self.init_from is not None and (other or self.mode == "plain"):
            named = " and ".join(other or ["mode plain"])
            raise ValueError(f"init_from names weights of two equal stacks without injection; {named} cannot start so")
        if (self.mode == "plain" or self.shared) and (self.h_layers or self.l_layers):
            why = "shared" if self.shared else "mode plain"
            raise ValueError(f"{why} has one stack, of `layers` blocks: leave h_layers and l_layers out")
        if self.mode == "plain":
            return self
        passes = self.h_cycles * (self.l_cycles + 1)
        if not self.depth.min <= self.depth.max <= passes:
            raise ValueError(f"depth {self.depth.min}..{self.depth.max} must rise and stay within {passes} passes")
        if self.depth.min < self.h_cycles + 1 and not self.inject:
            raise ValueError(
                f"depth.min {self.depth.min} is below h_cycles + 1 = {self.h_cycles + 1}, which leaves the input "
                "embedding without gradient; raise it or set inject: true"
            )
        return self

    @property
    def planner_layers(self) -> int:
        """Blocks of the planner, or of the one stack."""
        return self.h_layers or self.layers

    @property
    def coder_layers(self) -> int:
        """Blocks of the coder."""
        return self.l_layers or self.layers
