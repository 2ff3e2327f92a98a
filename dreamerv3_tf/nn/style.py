"""What all layers of the networks have in common."""

from __future__ import annotations

import dataclasses

from .norms import NORMS


@dataclasses.dataclass(frozen=True)
class Style:
    """How layers are made.

    Attributes:
        act: activation, name in `layers.ACTS`.
        norm: norm layer, name in `norms.NORMS`.
        norm_eps: ε of the norm layers.
        bias: layers in front of a norm have a bias.
        init: initialiser of hidden layers, name in `inits.INITS`.
        out_init: initialiser of layers with neither norm nor activation behind them.
    """

    act: str = "silu"
    norm: str = "rms"
    norm_eps: float = 1e-4
    bias: bool = True
    init: str = "fan_in"
    out_init: str = "fan_in"

    @property
    def hidden(self) -> dict:
        """Keywords of a layer in front of a norm."""
        return {"init": self.init, "bias": self.bias}

    def make_norm(self, name: str, dtype):
        """A norm layer."""
        return NORMS[self.norm](self.norm_eps, name=name, dtype=dtype)


STYLE = Style()
"""That of the 2025 paper."""
