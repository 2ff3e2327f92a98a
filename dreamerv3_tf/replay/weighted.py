"""Draws in proportion to weights, in time that hardly grows with their number."""

from __future__ import annotations

import numpy as np

FANOUT = 32


class SumTree:
    """Weights of `size` slots, and their sums in a tree with 32 children per node.

    Ten million slots make five levels; levels take memory only where they were
    written. Sums are recomputed from their children, so rounding never accumulates.

    Args:
        size: number of slots.
    """

    def __init__(self, size: int):
        self.levels = []
        while not self.levels or len(self.levels[-1]) > 1:
            size = -(-size // FANOUT)
            self.levels.append(np.zeros((size, FANOUT)))

    @property
    def total(self) -> float:
        """Sum of all weights."""
        return float(self.levels[-1].sum())

    def __getitem__(self, slots: np.ndarray) -> np.ndarray:
        return self.levels[0].reshape(-1)[slots]

    def set(self, slots: np.ndarray, weights: np.ndarray | float) -> None:
        """Replace weights.

        Args:
            slots: int64 `[n]`; where one appears twice its weights must agree.
            weights: float64 `[n]` or one for all, not negative, finite.
        """
        self.levels[0].reshape(-1)[slots] = weights
        for low, high in zip(self.levels, self.levels[1:], strict=False):
            slots = np.unique(slots // FANOUT)
            high.reshape(-1)[slots] = low[slots].sum(-1)

    def draw(self, uniform: np.ndarray) -> np.ndarray:
        """Slots, each with the probability `weight / total`, int64 `[n]`.

        Args:
            uniform: float64 `[n]` from `[0, 1)`.
        """
        node = np.zeros(len(uniform), np.int64)
        mass = uniform * self.total
        for level in reversed(self.levels):
            sums = np.cumsum(level[node], -1)  # [n, FANOUT]
            # Below the sum of this node, whatever was rounded on the way down: then the
            # child whose sum first exceeds the mass exists and has a weight.
            mass = np.minimum(mass, np.nextafter(sums[:, -1], 0))
            child = (sums <= mass[:, None]).sum(-1)
            before = np.where(child > 0, sums[np.arange(len(node)), child - 1], 0)
            mass, node = mass - before, node * FANOUT + child
        return node


def zipf(
    size: int, exponent: float, count: int, rng: np.random.Generator
) -> np.ndarray:
    """Whole numbers `k` in 1…size with probability ∝ `k^-exponent`, int64 `[count]`.

    Source: Hörmann and Derflinger 1996, Rejection-inversion to generate variates from
    monotone discrete distributions. Constant time; about one in ten is rejected.
    """
    rest = 1.0 - exponent

    def area(x):  # ∫ t^-exponent dt from 1 to x
        return np.log(x) if abs(rest) < 1e-9 else np.expm1(rest * np.log(x)) / rest

    def inverse(y):
        return np.exp(y if abs(rest) < 1e-9 else np.log1p(rest * y) / rest)

    found = np.empty(count, np.int64)
    open_places = np.arange(count)
    low, high = area(1.5) - 1.0, area(size + 0.5)
    while len(open_places):
        y = high + rng.random(len(open_places)) * (low - high)
        k = np.clip(np.floor(inverse(y) + 0.5), 1, size)
        accept = y >= area(k + 0.5) - k**-exponent
        found[open_places[accept]] = k[accept]
        open_places = open_places[~accept]
    return found
