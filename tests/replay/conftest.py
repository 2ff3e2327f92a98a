"""Steps whose content says which row and stream they are."""

import numpy as np
import pytest

from dreamerv3_tf.replay.replay import Replay
from dreamerv3_tf.spaces import Space

SPACES = {
    "vector": Space(np.float32, (2,)),
    "image": Space(np.uint8, (2, 3, 1)),
    "reward": Space(np.float32),
    "is_first": Space(bool),
    "is_last": Space(bool),
    "is_terminal": Space(bool),
    "action": Space(np.int32, (), 0, 5),
    "log/score": Space(np.float32),
    "deter": Space(np.float32, (3,)),
    "stoch": Space(np.uint8, (4,), 0, 8),
}


def make_transition(row: int, streams: int) -> dict[str, np.ndarray]:
    """Step `row` of all streams; an episode ends every 7 rows, never with is_last."""
    stream = np.arange(streams)
    mark = row * 100 + stream
    return {
        "vector": np.stack([np.full(streams, row), stream], 1).astype(np.float32),
        "image": np.broadcast_to(
            (mark % 251).astype(np.uint8)[:, None, None, None], (streams, 2, 3, 1)
        ),
        "reward": mark.astype(np.float32),
        "is_first": (row + stream) % 7 == 0,
        "is_last": np.zeros(streams, bool),
        "is_terminal": mark % 11 == 0,
        "action": (mark % 5).astype(np.int32),
        "log/score": np.zeros(streams, np.float32),
        "deter": np.repeat(mark[:, None], 3, 1).astype(np.float32),
        "stoch": np.repeat(mark[:, None] % 8, 4, 1).astype(np.uint8),
    }


@pytest.fixture(scope="session")
def spaces():
    return SPACES


@pytest.fixture(scope="session")
def transition():
    return make_transition


@pytest.fixture(scope="session")
def build():
    """`build(directory, **changes)`: a small replay."""

    def function(directory, **changes) -> Replay:
        settings = dict(streams=2, length=5, context=1, capacity=1000)
        settings |= changes
        spaces = settings.pop("spaces", SPACES)
        return Replay(directory, spaces, **settings)

    return function


@pytest.fixture(scope="session")
def fill():
    """`fill(replay, rows)`: add rows, numbered on from where the replay ends."""

    def function(replay: Replay, rows: int) -> None:
        end = replay.state()["rows"]
        for row in range(end, end + rows):
            replay.add(make_transition(row, replay.streams))

    return function
