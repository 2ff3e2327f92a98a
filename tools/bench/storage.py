"""Cases of the replay: inserts, draws and write-back, in memory-mapped files."""

from __future__ import annotations

import contextlib
import pathlib
import tempfile

import numpy as np

from . import setups
from .stopwatch import Stopwatch


def replay(case: dict, watch: Stopwatch) -> None:
    """Inserts of all environments at once, draws, write-back, and the loader."""
    setup = setups.build(case)
    from dreamerv3_tf.run import build as building

    config, agent = setup.config, setup.agent
    rng, streams = np.random.default_rng(0), config.run.envs
    spaces = building.replay_spaces(agent)
    pool = [setups.random_step(rng, spaces, streams) for _ in range(16)]
    numbers = iter(range(10**9))
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        memory = building.build_replay(config, agent, pathlib.Path(folder))
        stack.callback(memory.close)

        def insert():
            memory.add(pool[next(numbers) % len(pool)])

        watch.rate("insert", insert, "steps", streams)
        for _ in range(config.replay.capacity // streams):
            insert()
        measure_draws(watch, setup, memory, stack)
    watch.memory()


def measure_draws(watch: Stopwatch, setup, memory, stack) -> None:
    """Reading from a filled replay, in batches; the online queue is emptied first."""
    from dreamerv3_tf.run import build as building

    config, agent = setup.config, setup.agent
    section, rng = config.replay, np.random.default_rng(1)
    rows = section.batch_size
    for _ in range(len(memory) // (section.batch_length * rows) + 1):
        memory.draw(rows)
    watch.rate("sample", lambda: memory.gather(memory.draw(rows)), "batches")
    addresses, lead = memory.draw(rows).addresses, (rows, section.batch_length)
    entries = {k: setups.draw(rng, s, *lead) for k, s in agent.latent_spaces.items()}
    watch.rate("update", lambda: memory.update(addresses, entries), "batches")
    loader = building.build_loader(config, agent, memory, setup.device)
    stack.callback(loader.close)
    watch.rate("loader", loader.next, "batches")
