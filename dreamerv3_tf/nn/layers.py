"""Layers with weights: linear, block-diagonal, convolution, and stacks with norms.

Every layer keeps its weights in float32 and computes in the compute dtype of its Keras
dtype policy. Fresh weights come from Keras' global random
stream, which `keras.utils.set_random_seed` starts.
"""

from __future__ import annotations

from collections.abc import Callable

import keras
import tensorflow as tf

from . import functions
from .inits import INITS
from .style import STYLE, Style

ACTS: dict[str, Callable] = {
    "silu": tf.nn.silu,
    "relu": tf.nn.relu,
    "gelu": lambda x: tf.nn.gelu(x, approximate=True),
    "none": lambda x: x,
}
"""Activation functions by the name that the configuration uses."""


def check_divides(divisor: int, number: int, what: str) -> None:
    """Raises ValueError unless `number` is a multiple of `divisor`."""
    if number % divisor:
        raise ValueError(
            f"{what} is {number}, which is no multiple of {divisor}. "
            f"Choose one of {number // divisor * divisor} or "
            f"{(number // divisor + 1) * divisor}."
        )


def rows(x):
    """All leading axes as one: `[..., F]` → `[rows, F]`, for one large product."""
    return tf.reshape(x, (-1, x.shape[-1]))


def unrows(x, like):
    """The leading axes of `like` again: `[rows, F]` → `[..., F]`."""
    return tf.reshape(x, (*functions.lead(like, 1), *x.shape[1:]))


class Linear(keras.layers.Layer):
    """`x W + b` on the last axis.

    Args:
        units: width of the output.
        outscale: scale of the initial kernel, as `init` understands it.
        init: name in `inits.INITS`.
        bias: have `b`.

    Call: `x [..., I]` → `[..., units]`, in the compute dtype.
    """

    def __init__(
        self,
        units: int,
        outscale: float = 1.0,
        init: str = "fan_in",
        bias: bool = True,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.units, self.biased = units, bias
        self.initializer = INITS[init](outscale)

    def build(self, input_shape):
        shape = (input_shape[-1], self.units)
        self.kernel = self.add_weight(shape, self.initializer, name="kernel")
        self.bias = add_bias(self, self.units)

    def call(self, x):
        y = tf.matmul(rows(x), self.kernel)
        return unrows(y if self.bias is None else y + self.bias, x)


def add_bias(layer, units: int):
    """A new bias of the layer, zeros `[units]`; `None` where it has none."""
    if not layer.biased:
        return None
    return layer.add_weight((units,), "zeros", name="bias")


def cast_bias(layer):
    """The bias in the compute dtype, zero where the layer has none."""
    return tf.cast(0.0 if layer.bias is None else layer.bias, layer.compute_dtype)


class BlockLinear(keras.layers.Layer):
    """Linear layer with a block-diagonal kernel, plus a dense part for shared inputs.

    Block `k` reads slice `k` of the input and all of the shared input, and writes slice
    `k` of the output, so the layer has `1/blocks` of the weights of a dense one. It is
    what makes a `deter` of 8192 affordable.

    Source: Hafner et al. 2025, Methods (block-diagonal GRU).

    Args:
        units: width of the output; a multiple of `blocks`.
        blocks: number of independent blocks; also divides the input width.
        shared: width of the input that every block reads; 0 for none.
        init: name in `inits.INITS`.
        bias: have a bias.

    Call: `x [..., I]`, `shared [..., shared]` → `[..., units]`, compute dtype.

    Raises:
        ValueError: `units` or `I` is not a multiple of `blocks`.
    """

    def __init__(
        self,
        units: int,
        blocks: int,
        shared: int = 0,
        init: str = "fan_in",
        bias: bool = True,
        **kwargs,
    ):
        super().__init__(**kwargs)
        check_divides(blocks, units, f"Width of {self.name}")
        self.units, self.biased = units, bias
        self.initializer = INITS[init]()
        self.blocks = blocks
        self.shared = shared

    def build(self, input_shape):
        width = input_shape[-1]
        check_divides(self.blocks, width, f"Input width of {self.name}")
        self.slice = width // self.blocks
        shape = (self.blocks, self.slice + self.shared, self.units // self.blocks)
        self.kernel = self.add_weight(shape, self.initializer, name="kernel")
        self.bias = add_bias(self, self.units)

    def call(self, x, shared=None):
        block, dense, bias = self.parts()
        y = block_product(x, block) + bias
        return y if shared is None else y + unrows(tf.matmul(rows(shared), dense), x)

    def parts(self):
        """Kernel of the blocks `[blocks, I/blocks, O/blocks]`, kernel of the shared
        input `[shared, O]` and bias `[O]`, all in the compute dtype."""
        kernel = tf.cast(self.kernel, self.compute_dtype)
        dense = tf.transpose(kernel[:, self.slice :], (1, 0, 2))
        dense = tf.reshape(dense, (self.shared, self.units))
        return kernel[:, : self.slice], dense, cast_bias(self)


def block_product(x, kernel):
    """Product with a block-diagonal matrix: `[..., g·I] × [g, I, O]` → `[..., g·O]`."""
    blocks, width, units = kernel.shape
    y = tf.transpose(tf.reshape(rows(x), (-1, blocks, width)), (1, 0, 2))
    y = tf.transpose(tf.matmul(y, kernel), (1, 0, 2))
    return unrows(tf.reshape(y, (-1, blocks * units)), x)


class Conv(keras.layers.Layer):
    """Two-dimensional convolution, stride 1 or 2, same padding.

    Args:
        filters: channels of the output.
        kernel: side of the square kernel in pixels.
        stride: step of the kernel in pixels.
        transposed: put zeros between the pixels first, which multiplies height and
            width by `stride`, then convolve with stride 1.
        upsampled: convolve `upsample(x)`, see `functions.phase_taps`.
        outscale: scale of the initial kernel, as `init` understands it.
        init: name in `inits.INITS`.
        bias: have a bias.

    Call: `x [N, H, W, C]` → `[N, H', W', filters]`, in the compute dtype.
    """

    def __init__(
        self,
        filters,
        kernel,
        stride=1,
        transposed=False,
        upsampled=False,
        outscale=1.0,
        init="fan_in",
        bias=True,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.initializer, self.biased = INITS[init](outscale), bias
        self.filters = filters
        self.size = kernel
        self.stride = stride
        self.transposed = transposed
        self.upsampled = upsampled

    def build(self, input_shape):
        shape = (self.size, self.size, input_shape[-1], self.filters)
        self.kernel = self.add_weight(
            shape, self.initializer, name="kernel", autocast=False
        )
        self.bias = add_bias(self, self.filters)

    def call(self, x):
        if self.upsampled:
            return self.of_upsampled(x)
        kernel = tf.cast(self.kernel, x.dtype)
        if self.transposed:
            y = self.spread(x, kernel)
        else:
            y = tf.nn.conv2d(x, kernel, self.stride, "SAME")
        return y if self.bias is None else y + self.bias

    def spread(self, x, kernel):
        """The convolution of `x` with zeros between its pixels, each of which lies at
        the odd corner of its square; the zeros are not multiplied."""
        count, height, width = functions.lead(x, 1)
        size = (count, height * self.stride, width * self.stride, self.filters)
        kernel = tf.transpose(kernel[::-1, ::-1], (0, 1, 3, 2))
        return tf.nn.conv2d_transpose(x, kernel, size, self.stride, "SAME")

    def of_upsampled(self, x):
        """The convolution of `upsample(x)`, all four phases at once."""
        taps = tf.constant(functions.phase_taps(self.size), self.kernel.dtype)
        kernel = tf.einsum("auk,bvl,klio->uviabo", taps, taps, self.kernel)
        kernel = tf.reshape(kernel, (*kernel.shape[:3], 4 * self.filters))
        x = tf.nn.conv2d(x, tf.cast(kernel, x.dtype), 1, "SAME")
        x = x if self.bias is None else x + tf.tile(self.bias, [4])
        return tf.nn.depth_to_space(x, 2)


@tf.custom_gradient
def max_pool(x):
    """Largest of each 2×2 square; equal maxima share the gradient, as in the reference.

    `x [N, H, W, C]` with even sides → `[N, H/2, W/2, C]`. TensorFlow's own gradient
    would give all to one of them.
    """
    y = tf.nn.max_pool2d(x, 2, 2, "VALID")

    def share(force):
        _, height, width, channels = y.shape
        squares = tf.reshape(x, (-1, height, 2, width, 2, channels))
        hits = [
            [tf.cast(squares[:, :, i, :, j] == y, x.dtype) for j in (0, 1)]
            for i in (0, 1)
        ]
        force /= tf.add_n([*hits[0], *hits[1]])
        rows = [tf.stack([hit * force for hit in row], 3) for row in hits]
        return tf.reshape(tf.stack(rows, 2), tf.shape(x))

    return y, share


def upsample(x):
    """Each pixel four times: `[N, H, W, C]` → `[N, 2H, 2W, C]`."""
    return tf.repeat(tf.repeat(x, 2, axis=1), 2, axis=2)


class MLP(keras.layers.Layer):
    """A stack of linear → norm → activation.

    Args:
        layers: how many, at least 1.
        units: width of each.
        style: how they are made.

    Call: `x [..., I]` → `[..., units]`, in the compute dtype.
    """

    def __init__(self, layers: int, units: int, style: Style = STYLE, **kwargs):
        super().__init__(**kwargs)
        if layers < 1:
            raise ValueError(f"'{self.name}' has {layers} layers, expected at least 1.")
        self.units = units
        self.act, policy = ACTS[style.act], self.dtype_policy
        self.linears = [
            Linear(units, name=f"linear{i}", dtype=policy, **style.hidden)
            for i in range(layers)
        ]
        self.norms = [style.make_norm(f"norm{i}", policy) for i in range(layers)]

    def build(self, input_shape):
        width = input_shape[-1]
        for linear, norm in zip(self.linears, self.norms, strict=True):
            linear.build((None, width))
            norm.build((None, self.units))
            width = self.units

    def call(self, x):
        return self.after(x, 0)

    def after(self, x, start: int):
        """The output of the layers from `start` on, for `x` of the layer before."""
        for linear, norm in zip(self.linears[start:], self.norms[start:], strict=True):
            x = self.act(norm(linear(x)))
        return x
