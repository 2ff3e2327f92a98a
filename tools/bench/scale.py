"""Cases of growth: larger batches, longer horizons, fuller replays, more environments.

Each point is a case of its own; `growth` puts them together.
"""

from __future__ import annotations

import math
import pathlib
import shutil
import tempfile
from typing import Any

import numpy as np

from dreamerv3_tf.replay.replay import Replay
from dreamerv3_tf.spaces import Space

from . import agents, fleet, setups
from .stopwatch import Skip, Stopwatch

BASE = {"rows": 16, "length": 64, "horizon": 15}
ROWS, LENGTHS, HORIZONS = (4, 8, 16, 32), (16, 32, 64, 128), (5, 10, 15, 30)
STORED = (10**4, 10**5, 10**6, 10**7)
STREAMS = 16
SPACES = {
    **setups.INPUTS["vector"][0],
    **setups.INPUTS["vector"][1],
    **setups.SIGNAL_SPACES,
    "deter": Space(setups.FLOAT, (64,)),
    "stoch": Space(np.dtype(np.uint8), (32,), 0, 4),
}
"""What the replay stores of a step: vectors and small latents, so that the files of
10⁷ steps (4.2 GB) still fit the page cache. Else the disk is what is measured."""

STEP_BYTES = sum(s.dtype.itemsize * s.size for s in SPACES.values())


def points(quick: bool) -> list[dict[str, Any]]:
    """All cases but for what they share with others."""
    rows, lengths, horizons = (2, 4), (8, 16), (3, 6)
    base = {"rows": 2, "length": 8, "horizon": 3}
    stored, num, task = STORED[:2], 4, "dummy_disc"
    if not quick:
        base, rows, lengths, horizons = BASE, ROWS, LENGTHS, HORIZONS
        stored, num, task = STORED, 64, "dmc_cartpole_balance"
    trained = [{**base, "rows": x} for x in rows]
    trained += [{**base, "length": x} for x in lengths]
    trained += [{**base, "horizon": x} for x in horizons]
    unique = [x for i, x in enumerate(trained) if x not in trained[:i]]
    found: list[dict[str, Any]] = [{"part": "train", **x} for x in unique]
    found += [{"part": "replay", "stored": x} for x in stored]
    found.append(
        {"part": "envs", "num": num, "task": task, "steps": 20 if quick else 50}
    )
    return found


def point_name(case: dict) -> str:
    """`train_16x64_h15`, `replay_10000` or `envs_64`."""
    if case["part"] == "train":
        return "train_{rows}x{length}_h{horizon}".format(**case)
    return f"{case['part']}_{case['stored' if case['part'] == 'replay' else 'num']}"


def scale(case: dict, watch: Stopwatch) -> None:
    """One point."""
    {"train": train, "replay": replay, "envs": fleet.fleet}[case["part"]](case, watch)


def train(case: dict, watch: Stopwatch) -> None:
    """A train step with another batch or horizon."""
    asked = [
        f"replay.batch_size={case['rows']}",
        f"replay.batch_length={case['length']}",
        f"log.report_length={min(case['length'], 32)}",
        f"agent.imag_length={case['horizon']}",
    ]
    agents.train({**case, "settings": [*asked, *case["settings"]]}, watch)


def replay(case: dict, watch: Stopwatch) -> None:
    """Operations of a full replay of so many steps, which evicts as it inserts."""
    stored, rng = case["stored"], np.random.default_rng(0)
    length, rows = 65, 16
    need = 1.1 * stored * STEP_BYTES
    if shutil.disk_usage(tempfile.gettempdir()).free < 2 * need:
        raise Skip(
            f"{tempfile.gettempdir()} has less than {2 * need / 1e9:.1f} GB free"
        )
    pool = [setups.random_step(rng, SPACES, STREAMS) for _ in range(16)]
    with tempfile.TemporaryDirectory() as folder:
        options: dict[str, Any] = {
            "streams": STREAMS, "length": length, "context": 1, "capacity": stored,
        }  # fmt: skip
        memory = Replay(pathlib.Path(folder), SPACES, **options)
        for index in range(math.ceil(stored / STREAMS)):
            memory.add(pool[index % len(pool)])
        memory.close()
        memory = watch.once("open", lambda: Replay(folder, SPACES, **options))
        try:
            measure_replay(watch, memory, pool, rows)
        finally:
            memory.close()
    watch.memory()


def measure_replay(watch: Stopwatch, memory: Replay, pool: list[dict], rows: int):
    """Inserts, batches and write-backs of `rows` sequences."""
    for _ in range(len(memory) // (rows * (memory.length - 1)) + 1):
        memory.draw(rows)  # the online queue is emptied first
    index = iter(range(10**9))
    watch.rate("insert", lambda: memory.add(pool[next(index) % 16]), "steps", STREAMS)
    watch.rate("sample", lambda: memory.gather(memory.draw(rows)), "batches")
    lead, rng = (rows, memory.length - 1), np.random.default_rng(1)
    entries = {k: setups.draw(rng, SPACES[k], *lead) for k in ("deter", "stoch")}

    def update():
        memory.update(memory.draw(rows).addresses, entries)

    watch.rate("update", update, "batches")
