"""Learn faster for a while after a drift."""

from __future__ import annotations

from learner.policies.arguments import number
from learner.policies.policy import Maker
from learner.policies.rate import ChangeRate


class Faster(ChangeRate):
    """At a drift make the learning rate larger, so that the model catches up soon.

    It is multiplied by `factor` for `samples` labelled samples; the way back is one step, or
    with `gradual` many small ones. Another drift on the way begins it anew.
    """

    name = "faster"

    def __init__(
        self,
        make: Maker,
        *,
        factor: float = 5.0,
        samples: int = 1000,
        gradual: bool = False,
    ) -> None:
        factor = number(self.name, "factor", factor, above=1, below=1000)
        super().__init__(make, factor=factor, samples=samples, gradual=gradual)
