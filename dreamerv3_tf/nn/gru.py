"""The deterministic core of the recurrent model: two cells with one interface."""

from __future__ import annotations

import keras
import tensorflow as tf

from . import layers
from .style import STYLE, Style


class BlockGRU(keras.layers.Layer):
    """Deterministic core: a block-diagonal GRU behind a hidden layer.

    The hidden layers read one block of deter each, and all of the three projections of
    deter, stoch and action. The reset gate acts on the candidate before the tanh; the
    update gate starts low (bias −1). Source: Hafner et al. 2025, Methods.

    Args:
        deter: units `D`; a multiple of `blocks`.
        hidden: width `H` of the three projections.
        blocks: number of blocks `g`.
        layers: hidden block layers before the gates, at least 1.
        style: how layers are made.

    Call: `deter [N, D], stoch [N, S·C], action [N, A]` → `[N, D]`.
    """

    def __init__(self, deter, hidden, blocks, layers=1, style: Style = STYLE, **kwargs):
        super().__init__(**kwargs)
        self.deter, self.hidden, self.blocks = deter, hidden, blocks
        self.act = globals()["layers"].ACTS[style.act]
        self._make(layers, style)

    def _make(self, count: int, style: Style):
        policy = self.dtype_policy
        options = {**style.hidden, "dtype": policy}
        names = ("deter", "stoch", "action")
        self.inputs = [
            layers.Linear(self.hidden, name=f"from_{name}", **options) for name in names
        ]
        self.input_norms = [style.make_norm(f"norm_{name}", policy) for name in names]
        self.hiddens = [
            layers.BlockLinear(
                self.deter,
                self.blocks,
                0 if i else 3 * self.hidden,
                name=f"hidden{i}",
                **options,
            )
            for i in range(count)
        ]
        self.hidden_norms = [
            style.make_norm(f"hidden_norm{i}", policy) for i in range(count)
        ]
        self.gates = layers.BlockLinear(
            3 * self.deter, self.blocks, init=style.init, name="gates", dtype=policy
        )

    def build(self, deter, stoch, action):
        for linear, norm, width in zip(
            self.inputs, self.input_norms, (deter, stoch, action), strict=True
        ):
            linear.build((None, width))
            norm.build((None, self.hidden))
        for hidden, norm in zip(self.hiddens, self.hidden_norms, strict=True):
            hidden.build((None, self.deter))
            norm.build((None, self.deter))
        self.gates.build((None, self.deter))

    def call(self, deter, stoch, action):
        return self.stepper()(deter, stoch, self.driver()(action))

    def driver(self):
        """What an action adds to the first hidden layer, as a function of the action:
        `[..., A]` → `[..., D]`, bias included.

        It does not depend on the state: known actions need it once, before the loop.
        """
        _, dense, bias = self.hiddens[0].parts()
        dense = dense[2 * self.hidden :]

        def drive(action):
            action = bounded(tf.cast(action, self.compute_dtype))
            x = self.act(self.input_norms[2](self.inputs[2](action)))
            return layers.unrows(tf.matmul(layers.rows(x), dense), x) + bias

        return drive

    def stepper(self):
        """One step as a function `(deter, stoch [N, S·C], drive [N, D]) → deter`.

        Its weights are cast and split here, once, and not in every turn of a loop.
        """
        block, dense, _ = self.hiddens[0].parts()
        dense = dense[: 2 * self.hidden]
        later = [hidden.parts() for hidden in self.hiddens[1:]]
        gate_block, _, gate_bias = self.gates.parts()
        size = (-1, self.blocks, 3, self.deter // self.blocks)

        def step(deter, stoch, drive):
            x = [
                self.act(self.input_norms[i](self.inputs[i](value)))
                for i, value in enumerate((deter, stoch))
            ]
            y = layers.block_product(deter, block) + drive
            y += tf.matmul(tf.concat(x, -1), dense)
            y = self.act(self.hidden_norms[0](y))
            for (kernel, _, bias), norm in zip(
                later, self.hidden_norms[1:], strict=True
            ):
                y = self.act(norm(layers.block_product(y, kernel) + bias))
            gates = layers.block_product(y, gate_block) + gate_bias
            gates = tf.reshape(gates, size)  # [N, g, 3, D/g]: gates lie inside blocks
            reset, cand, update = (
                tf.reshape(gates[:, :, i], (-1, self.deter)) for i in range(3)
            )
            return renewed(deter, reset, cand, update)

        return step


class DenseGRU(keras.layers.Layer):
    """Deterministic core: a GRU whose gates share one norm layer.

    The hidden layers read stoch and action; a dense layer of deter and their output
    gives all gates, normalised together. Source: Hafner et al. 2023, published code.

    Args:
        deter: units `D`.
        hidden: width of the hidden layers.
        layers: how many, at least 1.
        style: how layers are made.

    Call: `deter [N, D], stoch [N, S·C], action [N, A]` → `[N, D]`.
    """

    def __init__(self, deter, hidden, layers=1, style: Style = STYLE, **kwargs):
        super().__init__(**kwargs)
        nn, policy = globals()["layers"], self.dtype_policy
        self.deter = deter
        self.hidden = nn.MLP(layers, hidden, style, name="hidden", dtype=policy)
        options = {**style.hidden, "dtype": policy}
        self.gates = nn.Linear(3 * deter, name="gates", **options)
        self.gates_norm = style.make_norm("gates_norm", policy)

    def build(self, deter, stoch, action):
        self.stoch = stoch
        self.hidden.build((None, stoch + action))
        self.gates.build((None, deter + self.hidden.units))
        self.gates_norm.build((None, 3 * deter))

    def call(self, deter, stoch, action):
        return self.stepper()(deter, stoch, self.driver()(action))

    def driver(self):
        """What an action adds to the first hidden layer; see `BlockGRU.driver`."""
        first = self.hidden.linears[0]
        kernel = tf.cast(first.kernel[self.stoch :], self.compute_dtype)
        bias = layers.cast_bias(first)

        def drive(action):
            action = bounded(tf.cast(action, self.compute_dtype))
            return layers.unrows(tf.matmul(layers.rows(action), kernel), action) + bias

        return drive

    def stepper(self):
        """One step as a function `(deter, stoch [N, S·C], drive [N, H]) → deter`."""
        dtype, hidden = self.compute_dtype, self.hidden
        kernel = tf.cast(hidden.linears[0].kernel[: self.stoch], dtype)
        gates, bias = tf.cast(self.gates.kernel, dtype), layers.cast_bias(self.gates)

        def step(deter, stoch, drive):
            x = hidden.act(hidden.norms[0](tf.matmul(stoch, kernel) + drive))
            x = tf.concat([deter, hidden.after(x, 1)], -1)
            x = self.gates_norm(tf.matmul(x, gates) + bias)
            return renewed(deter, *tf.split(x, 3, -1))

        return step


def bounded(action):
    """Entries beyond ±1 are scaled to ±1, as if by a constant."""
    return action / tf.stop_gradient(tf.maximum(tf.abs(action), 1))


def renewed(deter, reset, cand, update):
    """The next deter from gates before their activations, all `[N, D]`."""
    update = tf.sigmoid(update - 1)
    return update * tf.tanh(tf.sigmoid(reset) * cand) + (1 - update) * deter
