"""From latent states back to observations."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import tensorflow as tf

from dreamerv3_tf.spaces import Space

from . import encoder, functions, layers
from .style import STYLE, Style


class Decoder(keras.layers.Layer):
    """Latent state → reconstruction of every input of the encoder.

    Vectors come from an MLP on (stoch, deter) with one output layer a key: a mean for
    continuous keys, logits for discrete ones. Images come from a block-linear
    projection of deter plus an MLP of stoch, followed by stages of nearest upsampling →
    convolution → norm → activation, and a sigmoid. Without blocks, grid norm and
    sigmoid, and strided, that is the decoder of the 2023 version.

    Args:
        spaces: spaces to reconstruct, in the order in which images share channels.
        depth: base number of channels.
        mults: channels of each stage, in units of `depth`, largest image first.
        kernel: side of the convolution kernels in pixels.
        layers: layers of the MLP.
        units: width of the MLP.
        blocks: blocks of the projection of deter; 0 projects (stoch, deter) densely.
        style: how layers are made.
        outscale: scale of the initial weights of the output layers.
        strided: enlarge by transposed convolutions and not by upsampling.
        grid_norm: norm and activation behind the first image layer.
        output: image of the last layer, its `sigmoid`, or `linear`: plus 0.5.
        tolerance: squared errors of continuous vectors below this count as zero.
        symlog: predict continuous vectors in symlog units.

    Call: `Latent [..., D], [..., S, C]` → `{key: [...]}`, see `loss`.

    Raises:
        ValueError: as `Encoder`; or sizes that `blocks` does not divide.
    """

    def __init__(
        self,
        spaces: dict[str, Space],
        depth: int,
        mults: Sequence[int],
        kernel: int,
        layers: int,
        units: int,
        blocks: int,
        style: Style = STYLE,
        outscale: float = 1.0,
        strided: bool = False,
        grid_norm: bool = True,
        output: str = "sigmoid",
        tolerance: float = 0.0,
        symlog: bool = True,
        **kwargs,
    ):
        super().__init__(autocast=False, **kwargs)
        self.vectors, self.images = encoder.split_inputs(spaces)
        self.channels = tuple(depth * mult for mult in mults)
        self.kernel_size, self.units, self.blocks = kernel, units, blocks
        self.style, self.normed = style, grid_norm
        self.outscale, self.strided = outscale, strided
        self.finish, self.tolerance = OUTPUTS[output], tolerance
        self.symlog = symlog
        if self.vectors:
            self.mlp = encoder.module_mlp(self, layers, units)
            self.outputs = [self._output(key) for key in self.vectors]
        if self.images:
            height, width = encoder.image_size(self.images, len(mults))
            self.grid = (height >> len(mults), width >> len(mults))
            self._image_layers()

    def _output(self, key: str) -> layers.Linear:
        space = self.vectors[key]
        width = sum(space.classes) if space.discrete else space.size
        return layers.Linear(
            width,
            self.outscale,
            self.style.out_init,
            name=f"vector_{key}",
            dtype=self.dtype_policy,
        )

    def _image_layers(self):
        policy, style = self.dtype_policy, self.style
        area = self.grid[0] * self.grid[1] * self.channels[-1]
        inner = style.hidden if self.normed else {"init": style.out_init}
        inner = {**inner, "dtype": policy}
        if self.blocks:
            self.from_deter = layers.BlockLinear(
                area, self.blocks, name="from_deter", **inner
            )
            layers.check_divides(
                self.blocks, self.channels[-1], "Last decoder channels"
            )
            self.stoch_mlp = layers.MLP(
                1, 2 * self.units, style, name="stoch_mlp", dtype=policy
            )
            self.from_stoch = layers.Linear(area, name="from_stoch", **inner)
        else:
            self.from_both = layers.Linear(area, name="from_both", **inner)
        if self.normed:
            name = "grid_norm" if self.blocks else "dense_norm"
            self.grid_norm = style.make_norm(name, policy)
        strided = {"stride": 2, "transposed": True}
        up = strided if self.strided else {"upsampled": True}
        up = {**up, "dtype": policy}
        self.convs = [
            layers.Conv(n, self.kernel_size, name=f"conv{i}", **style.hidden, **up)
            for i, n in enumerate(self.channels[:-1])
        ]
        self.norms = [
            style.make_norm(f"norm{i}", policy) for i in range(len(self.convs))
        ]
        colors = sum(space.shape[-1] for space in self.images.values())
        self.to_image = layers.Conv(
            colors,
            self.kernel_size,
            outscale=self.outscale,
            init=style.out_init,
            name="to_image",
            **up,
        )

    @property
    def image_weights(self) -> list:
        """Weights that only images touch."""
        if not self.images:
            return []
        inside = {id(w) for part in self._vector_parts() for w in part.weights}
        return [w for w in self.weights if id(w) not in inside]

    def _vector_parts(self) -> list:
        return [self.mlp, *self.outputs] if self.vectors else []

    def build(self, input_shape):
        deter, (groups, classes) = input_shape.deter[-1], input_shape.stoch[-2:]
        both = deter + groups * classes
        if self.vectors:
            self.mlp.build((None, both))
            for output in self.outputs:
                output.build((None, self.mlp.units))
        if self.images:
            self._build_images(deter, groups * classes)

    def _build_images(self, deter: int, stoch: int):
        if self.blocks:
            self.from_deter.build((None, deter))
            self.stoch_mlp.build((None, stoch))
            self.from_stoch.build((None, 2 * self.units))
        else:
            self.from_both.build((None, stoch + deter))
        if self.normed:
            self.grid_norm.build((None, self.channels[-1]))
        width = self.channels[-1]
        for conv, norm in reversed(list(zip(self.convs, self.norms, strict=True))):
            conv.build((None, None, None, width))
            norm.build((None, conv.filters))
            width = conv.filters
        self.to_image.build((None, None, None, width))

    def call(self, latent):
        values = {}
        if self.vectors:
            values.update(self.vector_means(latent))
        if self.images:
            values.update(self.image_means(latent))
        return values

    def vector_means(self, latent):
        """Raw outputs of the vector keys, float32.

        Continuous keys: mean `[..., *shape]`, see `symlog`. Discrete keys: logits
        `[..., *shape, C]`, or `[..., ΣC]` where elements differ in classes.
        """
        x = functions.flatten_groups(latent.stoch)
        x = self.mlp(tf.concat([x, latent.deter], -1))
        values = {}
        for (key, space), output in zip(
            self.vectors.items(), self.outputs, strict=True
        ):
            value = tf.cast(output(x), tf.float32)
            shape = space.shape
            if space.discrete:
                same = len(set(space.classes)) == 1
                shape = (*shape, space.classes[0]) if same else (sum(space.classes),)
            values[key] = tf.reshape(value, (*functions.lead(x, 1), *shape))
        return values

    def image_means(self, latent):
        """Images with values in about [0, 1], float32 `[..., H, W, C]` a key."""
        lead = functions.lead(latent.deter, 1)
        deter = layers.rows(latent.deter)
        stoch = layers.rows(functions.flatten_groups(latent.stoch))
        x = self._grid_of(deter, stoch)
        act = layers.ACTS[self.style.act]
        x = act(self.grid_norm(x)) if self.normed else x
        for conv, norm in reversed(list(zip(self.convs, self.norms, strict=True))):
            x = act(norm(conv(x)))
        x = self.to_image(x)
        x = self.finish(tf.cast(x, tf.float32))
        x = tf.reshape(x, (*lead, *x.shape[1:]))
        colors = [space.shape[-1] for space in self.images.values()]
        return dict(zip(self.images, tf.split(x, colors, -1), strict=True))

    def _grid_of(self, deter, stoch):
        """The smallest feature map, `[N, h, w, channels]`.

        Each block of deter makes a channel group of its own.
        """
        (height, width), channels = self.grid, self.channels[-1]
        if not self.blocks:
            x = self.from_both(tf.concat([stoch, deter], -1))
            return tf.reshape(x, (-1, height, width, channels))
        group = channels // self.blocks
        x = tf.reshape(self.from_deter(deter), (-1, self.blocks, height, width, group))
        x = tf.reshape(tf.transpose(x, (0, 2, 3, 1, 4)), (-1, height, width, channels))
        y = self.from_stoch(self.stoch_mlp(stoch))
        return x + tf.reshape(y, (-1, height, width, channels))

    def vector_losses(self, means: dict, obs: dict):
        """Loss of each vector key, float32 `[...]`.

        Continuous: `Σ (mean − symlog(y))²`, or of `y` itself without `symlog`.
        Discrete: `−Σ ln p(y)`.
        """
        options = self.tolerance, self.symlog
        return {
            key: vector_loss(means[key], obs[key], space, *options)
            for key, space in self.vectors.items()
        }

    def vector_value(self, key: str, mean):
        """Prediction in the units of the observation, see the function."""
        return vector_value(mean, self.vectors[key], self.symlog)

    def image_losses(self, means: dict, obs: dict):
        """`Σ (mean − y / 255)²` over pixels and channels, float32 `[...]` a key."""
        losses = {}
        for key in self.images:
            target = tf.cast(obs[key], tf.float32) / 255
            losses[key] = tf.reduce_sum(tf.square(means[key] - target), (-3, -2, -1))
        return losses


OUTPUTS = {"sigmoid": tf.sigmoid, "linear": lambda x: x + 0.5}
"""From the last image layer to an image, by the name that the configuration uses."""


def vector_loss(mean, value, space: Space, tolerance: float = 0.0, symlog: bool = True):
    """Loss of one vector key; see `Decoder.vector_losses`."""
    if not space.discrete:
        value = tf.cast(value, tf.float32)
        error = tf.square(mean - (functions.symlog(value) if symlog else value))
        if tolerance:
            error = tf.where(error < tolerance, 0.0, error)
        axes = list(range(-len(space.shape), 0))
        return tf.reduce_sum(error, axes) if axes else error
    counts = space.classes
    lead = functions.lead(value, len(space.shape))
    index = tf.cast(value, tf.int32) - tf.constant(space.low, tf.int32)
    index = tf.reshape(index, (*lead, space.size))
    total = tf.zeros(lead)
    mean = tf.reshape(mean, (*lead, sum(counts)))
    for i, logits in enumerate(tf.split(mean, counts, -1)):
        total -= tf.reduce_sum(
            tf.one_hot(index[..., i], counts[i]) * tf.nn.log_softmax(logits), -1
        )
    return total


def vector_value(mean, space: Space, symlog: bool = True):
    """Prediction in the units of the observation: the mean, or the best class.

    Args:
        mean: of `Decoder.vector_means`.
        space: of the observation.
        symlog: the mean is in symlog units.
    """
    if not space.discrete:
        return functions.symexp(mean) if symlog else mean
    splits = tf.split(
        tf.reshape(mean, (-1, sum(space.classes))), list(space.classes), axis=-1
    )
    best = tf.stack([tf.argmax(x, -1, output_type=tf.int32) for x in splits], -1)
    return best + tf.constant(space.low.reshape(-1), tf.int32)
