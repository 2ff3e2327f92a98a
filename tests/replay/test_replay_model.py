"""Replay against the simplest model of it: a list of rows."""

import tempfile

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

LENGTH, CAPACITY = 4, 90


class Model:
    """All rows ever added, and what a replay of them must answer."""

    def __init__(self):
        self.rows = []  # {key: [N, ...]}

    def first_row(self, steps: int) -> int:
        """Oldest row of a replay with so many steps."""
        row = len(self.rows)
        while steps > 0:
            row -= 1
            steps -= len(self.rows[row]["reward"])
        assert steps == 0
        return row

    def starts(self, first: int) -> int:
        return sum(
            len(self.rows[row]["reward"])
            for row in range(first, len(self.rows) - LENGTH + 1)
            if self.joined(row)
        )

    def joined(self, row: int) -> bool:
        window = self.rows[row : row + LENGTH]
        return len({len(step["reward"]) for step in window}) == 1

    def sequence(self, row: int, stream: int) -> dict[str, np.ndarray]:
        assert self.joined(row)
        window = self.rows[row : row + LENGTH]
        data = {
            key: np.stack([step[key][stream] for step in window]) for key in window[0]
        }
        data["is_first"][0] = True
        for t in range(LENGTH - 1):
            data["is_last"][t] |= data["is_first"][t + 1]
        data["deter"], data["stoch"] = data["deter"][0], data["stoch"][0]
        return data


operations = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(1, 12)),
        st.tuples(st.just("reopen"), st.integers(1, 3)),
        st.tuples(st.just("update"), st.integers(1, 7)),
        st.tuples(st.just("restore"), st.just(0)),
    ),
    max_size=30,
)


@given(
    operations=operations,
    mixture=st.sampled_from([{"uniform": 1}, {"priority": 1, "recency": 1}]),
)
@settings(deadline=None, max_examples=60)
def test_every_sequence_is_what_was_added(build, transition, operations, mixture):
    with tempfile.TemporaryDirectory() as directory:
        model, streams = Model(), 2
        more = dict(length=LENGTH, capacity=CAPACITY, mixture=mixture)
        replay = build(directory, streams=streams, **more)
        for name, value in operations:
            if name == "add":
                for _ in range(value):
                    step = transition(len(model.rows), streams)
                    replay.add(step)
                    model.rows.append({k: v.copy() for k, v in step.items()})
            elif name == "reopen":
                replay.close()
                streams = value
                replay = build(directory, streams=streams, **more)
            elif name == "restore":
                replay.restore(replay.state())
            elif len(replay):
                write_latents(replay, model, value)
            check(replay, model)
        replay.close()


def write_latents(replay, model, value):
    addresses = replay.draw(3).addresses
    deter = np.arange(27, dtype=np.float32).reshape(3, 3, 3) + 1000 * value
    stoch = np.full((3, 3, 4), value, np.uint8)
    replay.update(addresses, {"deter": deter, "stoch": stoch})
    for i, (row, stream) in enumerate(zip(*addresses, strict=True)):
        for t in range(3):
            model.rows[row + t]["deter"][stream] = deter[i, t]
            model.rows[row + t]["stoch"][stream] = stoch[i, t]


def check(replay, model):
    steps = int(replay.stats()["steps"])
    assert steps <= CAPACITY
    total = sum(len(step["reward"]) for step in model.rows)
    assert steps >= min(total, CAPACITY * 3 // 4)
    first = model.first_row(steps)
    assert len(replay) == model.starts(first)
    if not len(replay):
        return
    positions = replay.draw(5)
    data = replay.gather(positions)
    assert (positions.row >= first).all()
    for i in range(5):
        row, stream = int(positions.row[i]), int(positions.stream[i])
        expected = model.sequence(row, stream)
        for key in data.keys() - {"consec"}:
            np.testing.assert_array_equal(data[key][i], expected[key], key)
