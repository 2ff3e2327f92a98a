import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dreamerv3_tf.replay.index import Index
from dreamerv3_tf.replay.mixture import Mixture
from dreamerv3_tf.replay.priorities import sequence_weight
from dreamerv3_tf.replay.samplers import SAMPLERS, Online, Priority, Recency, Uniform
from dreamerv3_tf.replay.segments import ReplayError
from dreamerv3_tf.replay.weighted import SumTree, zipf

LENGTH = 4
CAPACITY = 120


class World:
    """An index and a sampler, kept in step as `Replay` does it."""

    def __init__(self, name, directory, index=None, **options):
        self.index = index or Index(LENGTH)
        self.sampler = SAMPLERS[name](self.index, directory, CAPACITY, **options)
        self.rng = np.random.default_rng(0)

    def add(self, streams, rows=1):
        for _ in range(rows):
            if self.index.steps + streams > CAPACITY:
                self.index.evict(self.index.first_row + 3)
                self.sampler.evicted()
            self.index.append(streams)
            self.sampler.added()
        return self

    def draw(self, count):
        return self.sampler.draw(count, self.rng)

    def valid(self) -> set[int]:
        """Ids of all start positions, counted one by one."""
        return {
            group.step + (row - group.first) * group.streams + stream
            for group in self.index.groups
            for row in range(group.first, group.end - LENGTH + 1)
            for stream in range(group.streams)
        }


def assert_distributed(ids, weights: dict[int, float]):
    """χ² of the counts against weights; fails by chance once in 1e6."""
    assert set(ids.tolist()) <= {key for key, value in weights.items() if value}
    values = np.array(list(weights.values()), float)
    expected = len(ids) * values / values.sum()
    counts = np.array([(ids == key).sum() for key in weights])
    seen = expected > 0
    chi = ((counts[seen] - expected[seen]) ** 2 / expected[seen]).sum()
    freedom = seen.sum() - 1
    # Wilson and Hilferty 1931: the cube root of χ²/f is nearly normal.
    spread = 2 / (9 * freedom)
    assert ((chi / freedom) ** (1 / 3) - 1 + spread) / spread**0.5 < 4.8


@pytest.fixture(params=sorted(SAMPLERS))
def name(request):
    return request.param


# Conformance: every sampler that is listed.


def test_a_sampler_draws_valid_starts_only(name, tmp_path):
    world = World(name, tmp_path)
    for streams, rows in [(2, 9), (1, 3), (3, 7), (3, 5), (2, 20), (5, 40)]:
        world.add(streams, rows)
        ids = world.draw(50)
        assert ids.dtype == np.int64
        assert set(ids.tolist()) <= world.valid()


def test_a_sampler_reaches_new_steps(name, tmp_path):
    world = World(name, tmp_path).add(2, 8)
    world.draw(50)
    before = world.valid()
    world.add(2, 8)
    assert set(world.draw(400).tolist()) - before


def test_a_sampler_forgets_evicted_steps(name, tmp_path):
    world = World(name, tmp_path).add(3, 39)
    for _ in range(30):
        world.add(3, 7)
        assert set(world.draw(20).tolist()) <= world.valid()
    assert world.index.steps <= CAPACITY


def test_a_sampler_of_an_empty_replay_is_an_error(name, tmp_path):
    world = World(name, tmp_path)
    with pytest.raises(ReplayError, match="Nothing to draw"):
        world.draw(3)
    world.add(3, LENGTH - 1)
    with pytest.raises(ReplayError, match="each stream holds 3"):
        world.draw(3)
    assert len(world.add(3).draw(3)) == 3


def test_a_restored_sampler_draws_the_same(name, tmp_path):
    def go_on(world):
        rng = np.random.default_rng(7)
        return [world.add(2, 5).sampler.draw(6, rng).tolist() for _ in range(20)]

    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    straight = World(name, tmp_path / "a").add(2, 30)
    stopped = World(name, tmp_path / "b").add(2, 30)
    for world in (straight, stopped):
        world.draw(5)
    state = json.loads(json.dumps(stopped.sampler.state()))
    index = Index(LENGTH)
    index.append(2, 30)
    resumed = World(name, tmp_path / "b", index)
    resumed.sampler.restore(state)
    assert go_on(resumed) == go_on(straight)


# Each sampler's own distribution.


def test_uniform_is_uniform_over_streams_and_groups(tmp_path):
    world = World("uniform", tmp_path).add(2, 10).add(3, 12)
    world.index.evict(3)
    valid = world.valid()
    assert len(valid) == 2 * (7 - 3) + 3 * (12 - 3)
    assert_distributed(world.draw(20_000), dict.fromkeys(valid, 1.0))


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0, 2.0])
def test_recency_falls_with_age(tmp_path, exponent):
    world = World("recency", tmp_path, exponent=exponent).add(2, 8).add(3, 9)
    # Oldest first: 5 rows of 2 streams, then 6 rows of 3; a row shares its weight.
    rows = [2] * 5 + [3] * 6
    age = sum(rows)
    weights = {}
    ids = iter(sorted(world.valid()))
    for streams in rows:
        total = sum((age - k) ** -exponent for k in range(streams))
        weights |= {next(ids): total / streams for _ in range(streams)}
        age -= streams
    assert_distributed(world.draw(20_000), weights)


@given(st.integers(1, 12), st.floats(0, 3))
@settings(deadline=None, max_examples=20)
def test_zipf_numbers_follow_their_power(size, exponent):
    numbers = zipf(size, exponent, 5_000, np.random.default_rng(1))
    expected = np.arange(1, size + 1) ** -exponent
    expected /= expected.sum()
    shares = np.bincount(numbers, minlength=size + 1)[1:] / 5_000
    assert numbers.min() >= 1 and numbers.max() <= size
    np.testing.assert_allclose(shares, expected, atol=5 * (0.25 / 5_000) ** 0.5)


def test_recency_is_constant_in_time_up_to_ten_million():
    numbers = zipf(10**7, 1.0, 1000, np.random.default_rng(0))
    # Σ 1/k up to 1e7 is 16.7, up to 100 it is 5.19: a share of 31 %.
    assert 0.24 < (numbers <= 100).mean() < 0.38
    assert numbers.max() > 10**6


def test_a_negative_exponent_is_refused(tmp_path):
    with pytest.raises(ReplayError, match="recency_exponent is -1"):
        World("recency", tmp_path, exponent=-1)


def test_the_online_queue_gives_each_fresh_window_once(tmp_path):
    world = World("online", tmp_path)
    seen = []
    for _ in range(30):
        world.add(2, 1)
        if world.index.items:
            seen += world.draw(3).tolist()
    # 30 rows have 7 windows of 4 rows; windows begin at rows 0, 4, … in both streams.
    assert seen == [2 * row + stream for row in range(0, 28, 4) for stream in (0, 1)]


def test_the_online_queue_drops_what_was_evicted(tmp_path):
    world = World("online", tmp_path).add(3, 200)
    ids = world.draw(1000)
    rows, _ = world.index.locate(ids)
    assert rows.min() >= world.index.first_row
    assert rows.min() < world.index.first_row + LENGTH
    assert len(ids) == len(set(ids.tolist())) == 3 * (200 // LENGTH - rows.min() // 4)


def test_the_online_queue_starts_with_the_rows_of_this_run(tmp_path):
    index = Index(LENGTH)
    index.append(2, 10)
    world = World("online", tmp_path, index).add(2, 4)
    assert isinstance(world.sampler, Online)
    assert world.sampler.waiting == 2
    assert world.draw(5).tolist() == [20, 21]


def priority(tmp_path, **options) -> World:
    world = World("priority", tmp_path, **options)
    assert isinstance(world.sampler, Priority)
    return world


def test_priority_follows_the_steps_of_a_sequence(tmp_path):
    world = priority(
        tmp_path, initial=0.0, zero_on_sample=False, exponent=0.5, max_fraction=0.25
    ).add(2, 10)
    # Stream 1 gets priorities 16 and 4 in rows 3 and 4: powers 4 and 2.
    row, stream = np.array([3]), np.array([1])
    world.sampler.prioritize(row, stream, np.array([[16.0, 4.0]]))
    weights = dict.fromkeys(world.valid(), 0.0)
    # ¼·max + ¾·mean over 4 steps; the sequence of row 0 holds row 3 only, …
    weights[1] = 0.25 * 4 + 0.75 * 1.0
    for start in (1, 2, 3):
        weights[2 * start + 1] = 0.25 * 4 + 0.75 * 1.5
    weights[2 * 4 + 1] = 0.25 * 2 + 0.75 * 0.5
    assert_distributed(world.draw(20_000), weights)


def test_new_sequences_come_first_and_once(tmp_path):
    world = priority(tmp_path).add(2, 10)
    for _ in range(40):
        world.draw(1)
    assert not world.sampler.tree.total  # each step was seen: all weights are 0
    assert_distributed(world.draw(5_000), dict.fromkeys(world.valid(), 1.0))
    world.add(2, 1)
    newest = max(world.valid())
    assert set(world.draw(200).tolist()) == {newest - 1, newest}


def test_priorities_of_evicted_steps_are_ignored(tmp_path):
    world = priority(tmp_path, initial=1.0, zero_on_sample=False).add(3, 60)
    first = world.index.first_row
    world.sampler.prioritize(
        np.array([0, first - 2]), np.array([1, 1]), np.full((2, 4), 1e6)
    )
    weights = {}
    for step in world.valid():
        row, stream = (int(x[0]) for x in world.index.locate(np.array([step])))
        # Rows first and first + 1 of stream 1 are held: sequences from both on.
        held = sum(row <= first + k for k in (0, 1)) if stream == 1 else 0
        power = 1e6**0.8
        mean = (held * power + 4 - held) / 4
        weights[step] = 0.5 * (power if held else 1) + 0.5 * mean
    assert_distributed(world.draw(20_000), weights)


def test_a_wrong_priority_is_refused(tmp_path):
    world = priority(tmp_path).add(2, 10)
    for bad in (-1.0, np.nan):
        with pytest.raises(ReplayError, match="negative or NaN"):
            world.sampler.prioritize(
                np.array([3]), np.array([1]), np.array([[bad, 1.0]])
            )
    with pytest.raises(ReplayError, match="max_fraction 2"):
        priority(tmp_path, max_fraction=2)


def test_priorities_survive_another_capacity(tmp_path):
    world = priority(tmp_path, initial=0.0, zero_on_sample=False).add(2, 50)
    row, stream = np.array([46]), np.array([1])
    world.sampler.prioritize(row, stream, np.ones((1, 4)))
    again = Priority(world.index, tmp_path, 131, initial=0.0, zero_on_sample=False)
    ids = again.draw(1000, world.rng)
    assert set(ids.tolist()) == {2 * r + 1 for r in (43, 44, 45, 46)}


def test_steps_added_without_a_priority_file_get_the_initial_one(tmp_path):
    world = priority(tmp_path, initial=0.0, zero_on_sample=False).add(2, 20)
    world.index.append(2, 6)  # a run whose mixture had no priorities
    again = Priority(world.index, tmp_path, CAPACITY)
    rows, _ = world.index.locate(again.draw(100, world.rng))
    assert rows.min() >= 17


def test_a_foreign_priority_file_is_named(tmp_path):
    (tmp_path / "priorities.dv3").write_bytes(b"something else altogether")
    with pytest.raises(ReplayError, match="priorities.dv3: it is no priority file"):
        priority(tmp_path)


def test_an_infinite_priority_outweighs_all_finite_ones():
    weight = sequence_weight(
        np.array([[1, 1, np.inf, 1, 1, 1e30]], np.float32), 2, 0.8, 0.0
    )
    assert weight[0, 1] == weight[0, 2] > 1e9 * weight[0, 4]


@given(st.data())
@settings(deadline=None, max_examples=40)
def test_the_sum_tree_agrees_with_plain_sums(data):
    size = data.draw(st.sampled_from([1, 7, 32, 33, 1500]))
    rng = np.random.default_rng(data.draw(st.integers(0, 999)))
    tree, plain = SumTree(size), np.zeros(size)
    for _ in range(4):
        slots = rng.integers(0, size, 9)
        plain[slots] = rng.integers(0, 5, size)[slots]
        tree.set(slots, plain[slots])
        assert tree.total == plain.sum()
    if plain.any():
        uniform = rng.random(50)
        expected = np.searchsorted(np.cumsum(plain), uniform * plain.sum(), "right")
        np.testing.assert_array_equal(tree.draw(uniform), expected)
        assert plain[tree.draw(np.array([np.nextafter(1, 0)]))] > 0


def test_a_mixture_takes_fresh_windows_first_then_fractions(tmp_path):
    index = Index(LENGTH)
    samplers = {
        "online": Online(index, tmp_path, CAPACITY),
        "uniform": Uniform(index, tmp_path, CAPACITY),
        "recency": Recency(index, tmp_path, CAPACITY, exponent=20.0),
    }
    mixture = Mixture(samplers, {"uniform": 1.0, "recency": 3.0})
    index.append(1, 40)
    samplers["online"].added()
    rng = np.random.default_rng(0)
    assert mixture.draw(10, rng).tolist() == list(range(0, 40, 4))
    ids = mixture.draw(20_000, rng)
    # Of 37 starts uniform gives each 1/37, recency all to the last.
    weights = dict.fromkeys(range(37), 1 / 37)
    weights[36] += 3.0
    assert_distributed(ids, weights)
