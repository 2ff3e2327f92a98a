"""Cases of the agent: train steps and policy steps."""

from __future__ import annotations

import numpy as np

from . import setups
from .stopwatch import Stopwatch


def train(case: dict, watch: Stopwatch) -> None:
    """A train step: batch on the device → updated weights, latents as numpy arrays."""
    setup = watch.once("build", lambda: setups.build(case))
    import tensorflow as tf

    agent, numbers = setup.agent, iter(range(10**9))
    with tf.device(setup.device.name):
        batch = tf.nest.map_structure(tf.constant, setups.random_batch(setup))
    carry = agent.initial_train(batch.reward.shape[0])

    def step():
        nonlocal carry
        seed = np.array([0, next(numbers)], np.int32)
        carry, entries, metrics = agent.train(carry, batch, seed)
        return tf.nest.map_structure(lambda x: x.numpy(), (entries, metrics))

    watch.once("first_call", step)
    step()  # buffers and thread pools grow here
    watch.seconds("step", step)
    assert agent.traces["train"] == 1, f"traced {agent.traces['train']} times"
    watch.memory()
    if setup.device.accelerated:
        used = tf.config.experimental.get_memory_info(setup.device.name)
        watch.memory("device_memory", used["peak"])


def policy(case: dict, watch: Stopwatch) -> None:
    """A policy step as the driver asks for it: numpy observation → numpy action."""
    setup = setups.build(case)
    from dreamerv3_tf.run.session import Acting

    agent, rng = setup.agent, np.random.default_rng(0)
    for count in case["batches"]:
        pool = [setups.random_step(rng, agent.obs_space, count) for _ in range(16)]
        act = Acting(agent, setup.config.seed, "sample")
        carry, index = None, 0

        def step(act=act, pool=pool):
            nonlocal carry, index
            action, entries, carry = act(carry, pool[index % len(pool)], index)
            index += 1

        watch.once(f"first_call_{count}", step)
        watch.seconds(f"batch_{count}", step, "ms")
    watch.memory()
