"""From observations and actions to vectors."""

from __future__ import annotations

import math
from collections.abc import Sequence

import keras
import tensorflow as tf

from dreamerv3_tf.spaces import Space, image_size, split_inputs

from . import functions, layers
from .style import STYLE, Style


def encode_vectors(values: dict, spaces: dict[str, Space], dtype, squash=False):
    """Concatenates entries in sorted key order, integers as one-hot vectors.

    A `-1` in a discrete entry that starts at 0 or above, and a `-inf` in a continuous
    one, mark it as missing; all of it becomes zeros.

    Args:
        values: `{key: [..., *shape]}`.
        spaces: space of each key; the keys to use.
        dtype: dtype of the result.
        squash: apply `symlog` to continuous entries, before the cast to `dtype`.

    Returns:
        `[..., F]`.
    """
    parts = []
    for key in sorted(spaces):
        x, space = values[key], spaces[key]
        flat = tf.reshape(x, (*functions.lead(x, len(space.shape)), space.size))
        if space.discrete:
            parts.append(_one_hot(flat, space, dtype))
        else:
            here = tf.reduce_all(flat != -math.inf, -1, keepdims=True)
            flat = functions.symlog(flat) if squash else flat
            parts.append(tf.cast(tf.where(here, flat, 0.0), dtype))
    return tf.concat(parts, -1)


def _one_hot(flat, space: Space, dtype):
    low = space.low.reshape(-1)
    index = tf.cast(tf.cast(flat, tf.int64) - low, tf.int32)
    if not flat.dtype.is_bool and flat.dtype.min < 0 <= low.min():
        here = tf.reduce_all(flat != -1, -1, keepdims=True)
        index = tf.where(here, index, -1)
    counts = space.classes
    if len(set(counts)) == 1:
        onehot = tf.one_hot(index, counts[0], dtype=dtype)
        return functions.flatten_groups(onehot)
    codes = [tf.one_hot(index[..., i], n, dtype=dtype) for i, n in enumerate(counts)]
    return tf.concat(codes, -1)


def vector_width(spaces: dict[str, Space]) -> int:
    """Width of what `encode_vectors` returns for these spaces."""
    return sum(
        sum(space.classes) if space.discrete else space.size
        for space in spaces.values()
    )


class Encoder(keras.layers.Layer):
    """Observation dict → tokens.

    Vectors go through symlog (integers one-hot) and an MLP; all images are stacked on
    their channels and go through stages of convolution → 2×2 max-pool → norm →
    activation. Tokens are both results, side by side.

    Args:
        spaces: spaces of the inputs.
        depth: base number of channels.
        mults: channels of each stage, in units of `depth`.
        kernel: side of the convolution kernels in pixels.
        layers: layers of the MLP.
        units: width of the MLP.
        style: how layers are made.
        symlog: squash continuous vectors.
        strided: halve the image by the stride of the convolution and not by pooling.

    Call: `{key: [B, T, ...]}` → `[B, T, E]`, in the compute dtype.

    Raises:
        ValueError: no inputs, or an image whose size does not work.
    """

    def __init__(
        self,
        spaces: dict[str, Space],
        depth: int,
        mults: Sequence[int],
        kernel: int,
        layers: int,
        units: int,
        style: Style = STYLE,
        symlog: bool = True,
        strided: bool = False,
        **kwargs,
    ):
        super().__init__(autocast=False, **kwargs)  # symlog before the cast
        self.vectors, self.images = split_inputs(spaces)
        self.symlog = symlog
        self.strided = strided
        self.kernel_size = kernel
        self.channels = tuple(depth * mult for mult in mults)
        self.style = style
        if self.vectors:
            self.mlp = module_mlp(self, layers, units)
        if self.images:
            height, width = image_size(self.images, len(mults))
            self.grid = (height >> len(mults), width >> len(mults))
            self.convs, self.norms = self._stages()

    def _stages(self):
        policy, stride = self.dtype_policy, 2 if self.strided else 1
        options = {**self.style.hidden, "dtype": policy}
        convs = [
            layers.Conv(n, self.kernel_size, stride, name=f"conv{i}", **options)
            for i, n in enumerate(self.channels)
        ]
        norms = [self.style.make_norm(f"norm{i}", policy) for i in range(len(convs))]
        return convs, norms

    @property
    def width(self) -> int:
        """Number of tokens, `E`."""
        width = self.mlp.units if self.vectors else 0
        if self.images:
            width += self.grid[0] * self.grid[1] * self.channels[-1]
        return width

    @property
    def image_weights(self) -> list:
        """Weights that only images touch."""
        if not self.images:
            return []
        return [w for part in (*self.convs, *self.norms) for w in part.weights]

    def build(self, input_shape=None):
        del input_shape
        if self.vectors:
            self.mlp.build((None, vector_width(self.vectors)))
        if self.images:
            width = sum(space.shape[-1] for space in self.images.values())
            for conv, norm in zip(self.convs, self.norms, strict=True):
                conv.build((None, None, None, width))
                norm.build((None, conv.filters))
                width = conv.filters

    def call(self, obs):
        tokens = []
        if self.vectors:
            tokens.append(self.embed_vectors(obs))
        if self.images:
            tokens.append(self.embed_images(obs))
        return tf.concat(tokens, -1)

    def embed_vectors(self, obs):
        """Tokens of the vector keys, `[B, T, units]`."""
        squash = self.symlog
        x = encode_vectors(obs, self.vectors, self.compute_dtype, squash=squash)
        return self.mlp(x)

    def embed_images(self, obs):
        """Tokens of the image keys, `[B, T, h·w·channels]`."""
        x = tf.concat([obs[key] for key in sorted(self.images)], -1)
        lead = functions.lead(x, 3)
        x = tf.reshape(x, (-1, *x.shape[-3:]))
        x = tf.cast(x, self.compute_dtype) / 255 - 0.5
        act = layers.ACTS[self.style.act]
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = conv(x)
            x = x if self.strided else layers.max_pool(x)
            x = act(norm(x))
        size = self.grid[0] * self.grid[1] * self.channels[-1]
        return tf.reshape(x, (*lead, size))


def module_mlp(owner, count: int, units: int) -> layers.MLP:
    """The MLP of an encoder or decoder, named `mlp`, with the owner's settings."""
    return layers.MLP(count, units, owner.style, name="mlp", dtype=owner.dtype_policy)
