"""Learn more slowly for a while after a drift."""

from __future__ import annotations

from learner.policies.arguments import number
from learner.policies.policy import Maker
from learner.policies.rate import ChangeRate


class Slower(ChangeRate):
    """At a drift make the learning rate smaller: a change that passes leaves less behind.

    It is multiplied by `factor` for `samples` labelled samples; the way back is one step, or
    with `gradual` many small ones. Another drift on the way begins it anew.
    """

    name = "slower"

    def __init__(
        self,
        make: Maker,
        *,
        factor: float = 0.2,
        samples: int = 1000,
        gradual: bool = False,
    ) -> None:
        factor = number(self.name, "factor", factor, above=0, below=1)
        super().__init__(make, factor=factor, samples=samples, gradual=gradual)
