"""The refinement head: at the `<|judge|>` token of an attempt, write it again, plan it again, or be done.

The validator's feedback is embedded at that token; `HIDDEN` stands for "not shown", which is what half of the
training documents see, so that the head also learns to judge unaided.
"""

from __future__ import annotations

from torch import Tensor, nn

from hrm_ray.golang.syntax import DiagnosticKind
from hrm_ray.model.layers import linear

DECISIONS = 3
HIDDEN = "hidden"
FEEDBACK = (HIDDEN, "valid", *(kind.value for kind in DiagnosticKind))


class Refinement(nn.Module):
    """Embeds feedback and reads the decision."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.feedback = nn.Embedding(len(FEEDBACK), hidden)
        nn.init.normal_(self.feedback.weight, std=hidden**-0.5)
        self.decide = linear(hidden, DECISIONS)

    def forward(self, states: Tensor) -> Tensor:
        """[J, hidden] states at the judge tokens -> [J, 3] logits of CONTINUE, REFINE, DONE."""
        return self.decide(states)  # type: ignore[no-any-return]
