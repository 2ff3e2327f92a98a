"""Between replay and the model: what is stored of a state, and where to start from."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from dreamerv3_tf.nn import functions
from dreamerv3_tf.spaces import Space
from dreamerv3_tf.structs import SIGNALS, Batch, Latent

from .world_model import Sequence, WorldModel


class Context:
    """Stores latent states losslessly, and begins sequences from stored ones.

    Args:
        model: the world model.
        steps: replayed steps before the trained ones; 0 starts from zeros.
        deter_bytes: bytes of a stored deter unit, 4 or 2. Two bytes hold what is
            computed in 16 bits without loss; a float32 unit is rounded to float16.
    """

    def __init__(self, model: WorldModel, steps: int, deter_bytes: int = 4):
        self.model, self.steps = model, steps
        short = model.rssm.compute_dtype == "bfloat16"
        self.deter_dtype = tf.float32
        if deter_bytes == 2:
            self.deter_dtype = tf.bfloat16 if short else tf.float16

    @property
    def spaces(self) -> dict[str, Space]:
        """What replay stores of the state at each step: `deter` and `stoch`.

        A bfloat16 deter is stored as its bit pattern, since numpy has no such type.
        Empty without replay context.
        """
        rssm = self.model.rssm
        if not self.steps:
            return {}
        if self.deter_dtype == tf.bfloat16:
            deter = Space(np.dtype(np.uint16), (rssm.deter,), 0, 2**16)
        else:
            deter = Space(np.dtype(self.deter_dtype.as_numpy_dtype), (rssm.deter,))
        stoch = Space(np.dtype(np.uint8), (rssm.stoch,), 0, rssm.classes)
        return {"deter": deter, "stoch": stoch}

    def store(self, latent: Latent) -> dict:
        """What replay keeps of states, in the dtypes of `spaces`."""
        if not self.steps:
            return {}
        deter = tf.cast(latent.deter, self.deter_dtype)
        if self.deter_dtype == tf.bfloat16:
            deter = tf.bitcast(deter, tf.uint16)
        return {"deter": deter, "stoch": tf.cast(tf.argmax(latent.stoch, -1), tf.uint8)}

    def restore(self, stored: Latent) -> Latent:
        """States from what replay kept of them."""
        rssm, dtype = self.model.rssm, self.model.rssm.compute_dtype
        deter = stored.deter
        if deter.dtype == tf.uint16:
            deter = tf.bitcast(deter, tf.bfloat16)
        stoch = tf.one_hot(tf.cast(stored.stoch, tf.int32), rssm.classes, dtype=dtype)
        return Latent(tf.cast(deter, dtype), stoch)

    def split(self, carry: Latent, batch: Batch) -> tuple[Latent, Sequence]:
        """The state to start from, and what to train on.

        Rows that start a sampled sequence begin at the stored latents of the last
        context step, the others where the previous train step ended.
        """
        skip = self.steps
        action = {key: x[:, : x.shape[1] - 1] for key, x in batch.action.items()}
        prevact = self.model.encode_action(action)
        if skip:
            fresh = tf.equal(batch.consec, 0)
            stored = self.restore(batch.context)
            carry = tf.nest.map_structure(
                lambda x, y: (
                    functions.keep_where(fresh, x)
                    + functions.keep_where(tf.logical_not(fresh), y)
                ),
                stored,
                carry,
            )
            prevact = prevact[:, skip - 1 :]
        else:
            prevact = tf.pad(prevact, [(0, 0), (1, 0), (0, 0)])
        seq = Sequence(
            {key: batch.obs[key][:, skip:] for key in self.model.inputs},
            prevact,
            *(getattr(batch, key)[:, skip:] for key in SIGNALS),
        )
        return tf.nest.map_structure(tf.stop_gradient, carry), seq
