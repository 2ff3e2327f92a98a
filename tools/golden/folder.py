"""A folder of recordings of one agent, and the agent that goes with it."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from dreamerv3_tf import interop
from dreamerv3_tf.agent.agent import Agent
from dreamerv3_tf.agent.noise import FixedNoise
from dreamerv3_tf.agent.world_model import Sequence
from dreamerv3_tf.structs import SIGNALS, Batch, Latent

from .recorded import Recorded
from .recording import Recording

SEED = tf.constant([0, 0])  # fixed noise ignores it


class Folder(Recorded):
    """One recorded agent of 2025; see `Recorded`."""

    @property
    def context(self) -> int:
        """Replayed steps before the trained ones."""
        return self.config["agent_config"]["replay_context"]

    def agent(self, mode: str, optimizer: dict | None = None, xla: str = "off"):
        """The agent with the recorded parameters, without chance.

        Args:
            mode: continuous actions are the mean (`mean`), or lie a fixed number of
                standard deviations beside it (`eps`).
            optimizer: settings of the optimizer that differ from the recorded ones.
            xla: see `Agent`.
        """
        agent = interop.reference_agent(self.config, optimizer, xla)
        params = self.load("params")
        interop.load_reference_params(agent, {name: params[name] for name in params})
        normal = self.config["eps_noise_vector"] if mode == "eps" else None
        agent.noise = FixedNoise(agent.model.rssm.stoch, agent.act_space, normal)
        return agent

    def batches(self) -> list[str]:
        """Names of the recorded batches, in order."""
        names = [path.stem for path in self.path.glob("batch*.npz")]
        return sorted(
            (name for name in names if name[5:].isdigit()), key=lambda x: int(x[5:])
        )

    def batch(self, name: str, agent: Agent) -> Batch:
        """A recorded replay batch."""
        data = self.load(name)

        def take(keys):
            return {key: tf.constant(data[key]) for key in keys}

        return Batch(
            take(agent.model.inputs),
            take(agent.act_space),
            consec=tf.constant(data["consec"][:, 0]),
            context=self._stored(data),
            **take(SIGNALS),
        )

    def _stored(self, data: Recording) -> Latent:
        last = self.context - 1
        if last < 0:
            if not data["is_first"][:, 0].all():
                raise ValueError(
                    "replay_context is 0 and a sequence goes on from the one before; "
                    "here such sequences start afresh"
                )
            return Latent(tf.zeros(()), tf.zeros((), tf.uint8))
        deter, stoch = data["dyn/deter"], data["dyn/stoch"]
        return Latent(
            tf.constant(deter[:, last]),
            tf.constant(stoch[:, last].argmax(-1).astype(np.uint8)),
        )

    def carry(self) -> Latent:
        """The recorded carry that goes with the first batch."""
        data = self.load("carry0")
        return Latent(tf.constant(data["deter"]), tf.constant(data["stoch"]))

    def start(self, agent: Agent) -> tuple[Latent, Sequence]:
        """State before the first trained step of the first batch, and the sequence."""
        return agent.context.split(self.carry(), self.batch("batch0", agent))


def is_noise(name: str, mode: str) -> bool:
    """Whether a gradient is rounding noise: without noise an action is the mean, where
    the gradient of the head of the mean is zero."""
    parts = name.split("/")
    return mode == "mean" and parts[:2] == ["pol", "head"] and parts[-2] == "mean"


def swap(x):
    """Time and rows exchanged: `[T, N, ...]` ↔ `[N, T, ...]`."""
    return tf.transpose(x, (1, 0, *range(2, len(x.shape))))
