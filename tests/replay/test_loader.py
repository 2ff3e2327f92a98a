import threading
import time

import numpy as np
import pytest

from dreamerv3_tf.replay.loader import Loader
from dreamerv3_tf.replay.segments import ReplayError
from dreamerv3_tf.structs import Batch


@pytest.fixture
def replay(tmp_path, build, fill):
    replay = build(tmp_path)
    fill(replay, 40)
    yield replay
    replay.close()


def make_loader(replay, place=lambda batch: batch):
    return Loader(replay, 6, ["vector", "image"], ["action"], place)


def test_a_batch_has_all_that_a_train_step_reads(replay):
    loader = make_loader(replay)
    batch, addresses = loader.next()
    loader.close()
    assert isinstance(batch, Batch)
    assert batch.obs.keys() == {"vector", "image"}
    assert batch.action.keys() == {"action"}
    assert batch.obs["vector"].shape == (6, 5, 2)
    for value in (batch.reward, batch.is_first, batch.is_last, batch.is_terminal):
        assert value.shape == (6, 5)
    assert batch.consec.shape == (6,)
    np.testing.assert_array_equal(addresses.row, batch.obs["vector"][:, 1, 0])
    np.testing.assert_array_equal(addresses.stream, batch.obs["vector"][:, 1, 1])
    mark = batch.reward[:, 0]  # context is the step before the first trained one
    np.testing.assert_array_equal(batch.context.deter[:, 0], mark)
    np.testing.assert_array_equal(batch.context.stoch[:, 0], mark % 8)


def train(directory, build, fill, before, after):
    """All that a little training loop reads, with delays in both threads."""

    def place(batch):
        time.sleep(next(after))
        return batch

    replay = build(directory, capacity=200)
    fill(replay, 20)
    loader = make_loader(replay, place)
    seen = []
    for step in range(12):
        batch, addresses = loader.next()
        seen.append((batch, addresses))
        fill(replay, 9)  # evicts now and then
        time.sleep(next(before))
        value = np.full((6, 4, 3), 1000 + step, np.float32)
        stoch = np.full((6, 4, 4), step % 8, np.uint8)
        loader.update(addresses, {"deter": value, "stoch": stoch})
    loader.close()
    replay.close()
    return seen


def test_batches_do_not_depend_on_the_speed_of_threads(tmp_path, build, fill):
    def delays(seed, scale):
        rng = np.random.default_rng(seed)
        while True:
            yield rng.choice([0.0, scale])

    first = train(tmp_path / "a", build, fill, delays(0, 0.0), delays(1, 0.03))
    second = train(tmp_path / "b", build, fill, delays(2, 0.02), delays(3, 0.0))
    written = 0
    for (left, at), (right, there) in zip(first, second, strict=True):
        np.testing.assert_array_equal(at.row, there.row)
        np.testing.assert_array_equal(left.obs["vector"], right.obs["vector"])
        np.testing.assert_array_equal(left.context.deter, right.context.deter)
        written += int((left.context.deter[:, 0] != left.reward[:, 0]).sum())
    assert written > 5  # latents written back were read again


def test_a_write_back_waits_for_the_gather_under_way(replay):
    inside, go_on = threading.Event(), threading.Event()
    gather = replay.gather

    def slow(positions):
        inside.set()
        assert go_on.wait(10)
        return gather(positions)

    loader = make_loader(replay)
    _, addresses = loader.next()
    replay.gather = slow
    loader.next()
    assert inside.wait(10)
    latents = {
        "deter": np.zeros((6, 4, 3), np.float32),
        "stoch": np.zeros((6, 4, 4), np.uint8),
    }
    writer = threading.Thread(target=loader.update, args=(addresses, latents))
    writer.start()
    time.sleep(0.05)
    assert replay.stats()["updates"] == 0
    go_on.set()
    writer.join(10)
    assert replay.stats()["updates"] == 6
    loader.close()


def test_the_next_batch_is_prepared_in_the_background(replay):
    placed = []

    def place(batch):
        placed.append(threading.current_thread())
        return batch

    loader = make_loader(replay, place)
    loader.next()
    for _ in range(1000):
        if len(placed) == 2:
            break
        time.sleep(0.01)
    assert len(placed) == 2
    assert threading.main_thread() not in placed
    loader.close()


def test_errors_of_the_thread_appear_in_next(replay):
    def place(_):
        raise RuntimeError("no room on the device")

    loader = make_loader(replay, place)
    with pytest.raises(RuntimeError, match="no room on the device"):
        loader.next()
    loader.close()


def test_too_few_steps_are_an_error_in_next(tmp_path, build):
    replay = build(tmp_path)
    loader = make_loader(replay)
    with pytest.raises(ReplayError, match="Nothing to draw"):
        loader.next()
    loader.close()
    replay.close()


def test_close_ends_the_thread(replay):
    threads = threading.active_count()
    loader = make_loader(replay)
    loader.next()
    assert threading.active_count() == threads + 1
    loader.close()
    assert threading.active_count() == threads


def test_a_resumed_loader_hands_out_the_batch_that_waited(tmp_path, build, fill):
    def begin(name):
        replay = build(tmp_path / name)
        fill(replay, 40)
        loader = make_loader(replay)
        for _ in range(7):
            loader.next()
        return replay, loader

    def go_on(replay, loader):
        rows = []
        for _ in range(4):
            rows.append(loader.next()[1].row.tolist())
            fill(replay, 5)
        loader.close()
        replay.close()
        return rows

    expected = go_on(*begin("straight"))
    replay, loader = begin("stopped")
    state = loader.state()
    loader.close()
    replay.close()
    replay = build(tmp_path / "stopped", seed=5)
    loader = make_loader(replay)
    loader.restore(state)
    assert go_on(replay, loader) == expected


def test_the_batch_that_waited_keeps_its_latents_as_they_were(tmp_path, build, fill):
    replay = build(tmp_path)
    fill(replay, 40)
    loader = make_loader(replay)
    _, addresses = loader.next()
    state = loader.state()  # the batch that waits has been read
    entries = {
        "deter": np.full((len(addresses.row), 40, 3), -1, np.float32),
        "stoch": np.zeros((len(addresses.row), 40, 4), np.uint8),
    }
    for stream in range(2):
        whole = addresses._replace(
            row=0 * addresses.row, stream=0 * addresses.row + stream
        )
        loader.update(whole, entries)
    before, _ = loader.next()
    loader.close()
    other = make_loader(replay)
    other.restore(state)
    after, _ = other.next()
    assert (before.context.deter >= 0).all()
    np.testing.assert_array_equal(after.context.deter, before.context.deter)
    np.testing.assert_array_equal(after.context.stoch, before.context.stoch)
    other.close()
    replay.close()


def test_a_loader_can_be_restored_before_any_step(tmp_path, build, fill):
    replay = build(tmp_path)
    loader = make_loader(replay)
    loader.restore(loader.state())
    fill(replay, 10)
    loader.next()
    loader.close()
    replay.close()


def test_reports_are_short_and_change_no_draw(tmp_path, build, fill):
    rows = []
    for name, reports in (("with", 2), ("without", 0)):
        replay = build(tmp_path / name, online=False)
        fill(replay, 40)
        loader = make_loader(replay)
        rows.append(loader.next()[1].row.tolist())
        for _ in range(reports):
            batch = loader.report(3, 2)
            assert batch.obs["image"].shape == (3, 3, 2, 3, 1)
            assert batch.reward.shape == (3, 3)
            assert batch.context.deter.shape == (3, 3)
        rows[-1] += loader.next()[1].row.tolist()
        loader.close()
        replay.close()
    assert rows[0] == rows[1]
