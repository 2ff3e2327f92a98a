"""Tiny agents and batches to try them on."""

import types

import numpy as np
import pytest
import tensorflow as tf

from dreamerv3_tf import presets
from dreamerv3_tf.run.build import build_agent
from dreamerv3_tf.run.device import Device
from dreamerv3_tf.spaces import Space
from dreamerv3_tf.structs import FLAGS, Batch, Latent

FLOAT, WHOLE, BYTE = (np.dtype(x) for x in ("float32", "int32", "uint8"))
VECTORS = {
    "vec": Space(FLOAT, (3,)),
    "mode": Space(WHOLE, (), 0, 4),
}
IMAGE = {"image": Space(BYTE, (12, 12, 3))}
SIGNALS = {
    "reward": Space(FLOAT, ()),
    **{key: Space(np.dtype(bool), ()) for key in FLAGS},
}
CHOICE = {"action": Space(WHOLE, (), 0, 3)}
MIXED = {
    "turn": Space(FLOAT, (2,), -1, 1),
    "press": Space(np.dtype(bool), ()),
    "keys": Space(WHOLE, (2,), 0, [2, 5]),
}


SMALL = (
    "agent.stoch=4",
    "agent.reward.bins=41",
    "agent.encoder.mults=[2, 2]",
    "agent.decoder.mults=[2, 2]",
    "agent.imag_length=2",
)


def make_agent(obs=None, act=None, *settings: str, xla="off", precision="float32"):
    """An agent with the debug settings; `settings` are `agent.…=…` that differ."""
    config = presets.load("dummy_disc", ["debug"], [*SMALL, *settings])
    device = Device("/CPU:0", "", False, precision, xla)
    return build_agent(config, device, {**(obs or VECTORS), **SIGNALS}, act or CHOICE)


def make_batch(agent, rows=2, steps=4, seed=0) -> Batch:
    """Random sequences of `steps` trained steps, with an episode end inside one."""
    rng = np.random.default_rng(seed)
    length = agent.context.steps + steps

    def draw(spaces):
        return {
            key: np.stack(
                [
                    np.stack([space.sample(rng) for _ in range(length)])
                    for _ in range(rows)
                ]
            )
            for key, space in spaces.items()
        }

    first, last = np.zeros((2, rows, length), bool)
    last[0, length - 3], first[0, length - 2] = True, True
    rssm = agent.model.rssm
    stored = Latent(
        rng.normal(size=(rows, rssm.deter)).astype("float32"),
        rng.integers(0, rssm.classes, (rows, rssm.stoch)).astype("uint8"),
    )
    batch = Batch(
        draw(agent.model.inputs),
        draw(agent.act_space),
        rng.normal(size=(rows, length)).astype("float32"),
        first,
        last,
        last.copy(),
        np.zeros(rows, np.int32),
        stored,
    )
    return tf.nest.map_structure(tf.constant, batch)


def seed(*numbers):
    """A seed of the agent's functions."""
    return tf.constant(numbers if len(numbers) == 2 else (0, *numbers))


def train(agent, batch, steps: int) -> list[dict]:
    """Metrics of that many train steps on one batch, as numpy numbers."""
    carry, history = agent.initial_train(batch.consec.shape[0]), []
    for step in range(steps):
        carry, _, metrics = agent.train(carry, batch, seed(step))
        history.append(tf.nest.map_structure(np.asarray, metrics))
    return history


@pytest.fixture(scope="session")
def tiny() -> types.SimpleNamespace:
    """The functions and spaces above."""
    return types.SimpleNamespace(
        agent=make_agent,
        batch=make_batch,
        seed=seed,
        train=train,
        vectors=VECTORS,
        image=IMAGE,
        choice=CHOICE,
        mixed=MIXED,
    )


@pytest.fixture(scope="session")
def agent():
    """A tiny agent on vectors with one discrete action; not to be changed."""
    return make_agent()
