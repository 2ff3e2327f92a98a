"""Small networks from the features of a latent state to a distribution."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from dreamerv3_tf.spaces import Space

from . import dists, functions, layers
from .style import STYLE


class Head(keras.layers.Layer):
    """MLP and one output layer.

    Args:
        units: width of the output.
        mlp: keywords of `MLP`: layers, units, style.
        outscale: scale of the initial weights of the output; 0 starts at zero.

    Call: `feat [..., F]` → `[..., units]`, float32.
    """

    def __init__(self, units: int, mlp: dict, outscale: float = 1.0, **kwargs):
        super().__init__(**kwargs)
        self.mlp = layers.MLP(**mlp, name="mlp", dtype=self.dtype_policy)
        init = mlp.get("style", STYLE).out_init
        self.out = layers.Linear(
            units, outscale, init, name="out", dtype=self.dtype_policy
        )

    def build(self, input_shape):
        self.mlp.build(input_shape)
        self.out.build((None, self.mlp.units))

    def call(self, feat):
        return tf.cast(self.out(self.mlp(feat)), tf.float32)


class TwoHotHead(Head):
    """Head for rewards and values: a distribution over bins.

    Args:
        bins: number of bins.
        spacing: `symexp`: bins at `symexp(linspace(−20, 20))`, weights linear in the
            value; `symlog`: the same bins, weights linear in its symlog.

    Call: `feat [..., F]` → `TwoHot` of batch shape `[...]`.
    """

    def __init__(
        self, bins: int, mlp: dict, outscale: float = 0.0, spacing="symexp", **kwargs
    ):
        super().__init__(bins, mlp, outscale, **kwargs)
        make = {"symexp": dists.symexp_bins, "symlog": dists.symlog_bins}[spacing]
        self.bins, self.in_symlog = make(bins), spacing == "symlog"

    def call(self, feat):
        return dists.TwoHot(super().call(feat), self.bins, self.in_symlog)


class RegressionHead(Head):
    """Head for rewards and values: one number.

    Args:
        kind: `symlog_mse`, `mse` or `huber`, see `Regression`.

    Call: `feat [..., F]` → `Regression` of batch shape `[...]`.
    """

    def __init__(self, mlp: dict, outscale: float = 0.0, kind: str = "mse", **kwargs):
        super().__init__(1, mlp, outscale, **kwargs)
        self.kind = kind

    def call(self, feat):
        return dists.Regression(super().call(feat)[..., 0], self.kind)


RealHead = TwoHotHead | RegressionHead
"""What predicts a reward or a value."""


def make_real_head(
    kind: str, bins: int, mlp: dict, outscale: float, **kwargs
) -> RealHead:
    """The head for rewards or values that `agent.bins` names; `bins` if it has any."""
    if kind in ("symexp", "symlog"):
        return TwoHotHead(bins, mlp, outscale, kind, **kwargs)
    return RegressionHead(mlp, outscale, kind, **kwargs)


class BinaryHead(Head):
    """Head for the probability of going on.

    Call: `feat [..., F]` → logit `[...]`, float32.
    """

    def __init__(self, mlp: dict, outscale: float = 1.0, **kwargs):
        super().__init__(1, mlp, outscale, **kwargs)

    def call(self, feat):
        return super().call(feat)[..., 0]


class MaskHead(Head):
    """Head that predicts which classes of discrete actions are allowed.

    Args:
        masks: space of the mask of each action, bool `[*shape, C]`.

    Call: `feat [..., F]` → logits `{key: [..., *shape, C]}`, float32.
    """

    def __init__(
        self, masks: dict[str, Space], mlp: dict, outscale: float = 1.0, **kwargs
    ):
        sizes = [space.size for space in masks.values()]
        super().__init__(sum(sizes), mlp, outscale, **kwargs)
        self.masks, self.sizes = dict(masks), sizes

    def call(self, feat):
        parts = tf.split(super().call(feat), self.sizes, -1)
        lead = functions.lead(feat, 1)
        return {
            key: tf.reshape(part, (*lead, *space.shape))
            for (key, space), part in zip(self.masks.items(), parts, strict=True)
        }

    def allowed(self, feat):
        """The likelier answer for each class, bool `{key: [..., *shape, C]}`."""
        return {key: logit > 0 for key, logit in self(feat).items()}

    def loss(self, feat, masks: dict):
        """`−Σ ln p(mask)` over actions and classes, float32 `[...]`."""
        losses = []
        for key, logit in self(feat).items():
            loss = dists.binary_loss(logit, tf.cast(masks[key], tf.float32))
            axes = list(range(-len(self.masks[key].shape), 0))
            losses.append(tf.reduce_sum(loss, axes))
        return tf.add_n(losses)


class Actor(keras.layers.Layer):
    """Policy: one MLP, and a distribution for each entry of the action dict.

    Discrete entries get a categorical distribution with unimix, one an element;
    elements may differ in their number of classes. Continuous entries get a bounded
    normal.

    Args:
        spaces: spaces of the action entries.
        mlp: keywords of `MLP`.
        outscale: scale of the initial weights of the output layers.
        unimix: share of the uniform distribution in discrete policies. The papers say
            1 %; the reference of 2025 configures it and forgets to apply it.
        min_std: smallest standard deviation.
        max_std: bound of the largest standard deviation.

    Call: `feat [..., F]` and, where not all classes are allowed, `{key: bool [...,
    *shape, C]}` → `{key: distribution}` of batch shape `[..., *shape]`. What is not
    allowed has probability zero; where nothing is, everything is.
    """

    def __init__(
        self,
        spaces: dict[str, Space],
        mlp: dict,
        outscale: float = 0.01,
        unimix: float = 0.01,
        min_std: float = 0.1,
        max_std: float = 1.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.spaces = dict(spaces)
        self.unimix, self.bounds = unimix, (min_std, max_std)
        self.mlp = layers.MLP(**mlp, name="mlp", dtype=self.dtype_policy)
        self.valid = {key: valid_classes(space) for key, space in spaces.items()}
        names = [name for key, space in spaces.items() for name in _outputs(key, space)]
        init = mlp.get("style", STYLE).out_init
        self.outs = [
            layers.Linear(width, outscale, init, name=name, dtype=self.dtype_policy)
            for name, width in names
        ]

    def build(self, input_shape):
        self.mlp.build(input_shape)
        for out in self.outs:
            out.build((None, self.mlp.units))

    def call(self, feat, allowed: dict | None = None):
        x = self.mlp(feat)
        lead = functions.lead(x, 1)
        raw = {out.name: tf.cast(out(x), tf.float32) for out in self.outs}
        allowed = allowed or {}
        return {
            key: self._distribution(key, raw, lead, allowed.get(key))
            for key in self.spaces
        }

    def _distribution(self, key: str, raw: dict, lead, allowed):
        space = self.spaces[key]
        if space.discrete:
            shape = (*lead, *space.shape, max(space.classes))
            logits = tf.reshape(raw[f"{key}_logits"], shape)
            valid = self.valid[key]
            if allowed is not None:
                valid = sensible(allowed, valid)
            return dists.Categorical(logits, self.unimix, valid)
        shape = (*lead, *space.shape)
        mean = tf.reshape(raw[f"{key}_mean"], shape)
        stddev = tf.reshape(raw[f"{key}_stddev"], shape)
        return dists.BoundedNormal(mean, stddev, *self.bounds)

    def entropy_bounds(self, key: str) -> tuple[float, float]:
        """Smallest and largest entropy of the entry, in nats, summed over elements."""
        space = self.spaces[key]
        if space.discrete:
            return 0.0, float(np.sum(np.log(space.classes)))
        low, high = (dists.normal_entropy(bound) for bound in self.bounds)
        return space.size * low, space.size * high


def valid_classes(space: Space) -> np.ndarray | None:
    """Which logits are real, bool `[*shape, C]`; `None` where all are."""
    if not space.discrete or len(set(space.classes)) == 1:
        return None
    counts = np.reshape(space.classes, space.shape)
    return np.arange(max(space.classes)) < counts[..., None]


def sensible(allowed, valid):
    """Classes that are allowed and real; all real ones where none is allowed."""
    if valid is not None:
        allowed = tf.logical_and(allowed, valid)
    some = tf.reduce_any(allowed, -1, keepdims=True)
    return tf.where(some, allowed, tf.ones_like(allowed) if valid is None else valid)


def _outputs(key: str, space: Space) -> list[tuple[str, int]]:
    if space.discrete:
        return [(f"{key}_logits", space.size * max(space.classes))]
    return [(f"{key}_mean", space.size), (f"{key}_stddev", space.size)]


def sum_event(x, space: Space):
    """Sum over the elements of an action entry: `[..., *shape]` → `[...]`."""
    axes = list(range(-len(space.shape), 0))
    return tf.reduce_sum(x, axes) if axes else x
