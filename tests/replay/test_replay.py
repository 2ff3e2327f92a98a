import itertools
import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest

from dreamerv3_tf.replay.replay import Replay
from dreamerv3_tf.replay.segments import Layout, ReplayError, Segment, describe
from dreamerv3_tf.spaces import Space
from dreamerv3_tf.structs import Addresses


def disk_bytes(directory) -> int:
    return sum(path.stat().st_blocks * 512 for path in directory.iterdir())


def latents(steps: int, batch: int, value: int) -> dict[str, np.ndarray]:
    return {
        "deter": np.full((batch, steps, 3), value, np.float32),
        "stoch": np.full((batch, steps, 4), value % 8, np.uint8),
    }


def stored_deter(replay, row, stream):
    """The stored latent of one step, as context of the sequence that it begins."""
    positions = replay.locate(Addresses(np.array([row + 1]), np.array([stream])))
    return replay.gather(positions)["deter"][0, 0]


def test_a_sequence_is_consecutive_steps_of_one_stream(tmp_path, build, fill):
    replay = build(tmp_path, online=False)
    fill(replay, 30)
    positions = replay.draw(64)
    data = replay.gather(positions)
    for i, (row, stream) in enumerate(
        zip(positions.row, positions.stream, strict=True)
    ):
        expected = [[row + t, stream] for t in range(5)]
        np.testing.assert_array_equal(data["vector"][i], expected)
    assert data["image"].shape == (64, 5, 2, 3, 1)
    assert data["consec"].dtype == np.int32 and not data["consec"].any()
    assert "log/score" not in data
    replay.close()


def test_addresses_point_at_the_first_trained_step(tmp_path, build, fill):
    replay = build(tmp_path, context=2)
    fill(replay, 30)
    positions = replay.draw(8)
    np.testing.assert_array_equal(positions.addresses.row, positions.row + 2)
    np.testing.assert_array_equal(positions.addresses.stream, positions.stream)
    replay.close()


def test_latents_come_from_the_last_context_step(tmp_path, build, fill):
    replay = build(tmp_path, context=3)
    fill(replay, 30)
    positions = replay.draw(32)
    data = replay.gather(positions)
    mark = (positions.row + 2) * 100 + positions.stream
    np.testing.assert_array_equal(data["deter"], np.repeat(mark[:, None], 3, 1))
    np.testing.assert_array_equal(data["stoch"], np.repeat(mark[:, None] % 8, 4, 1))
    replay.close()


def test_without_context_no_latents_are_stored(tmp_path, build, fill):
    replay = build(tmp_path, context=0)
    fill(replay, 30)
    positions = replay.draw(4)
    replay.update(positions.addresses, latents(5, 4, 9))
    data = replay.gather(positions)
    assert data["deter"].shape == (4, 3) and not data["deter"].any()
    assert not any(
        key in Segment.open(path).layout.spaces
        for path in tmp_path.glob("segment-*")
        for key in ("deter", "stoch")
    )
    replay.close()


def test_the_first_flag_of_a_sequence_is_set(tmp_path, build, fill):
    replay = build(tmp_path)
    fill(replay, 30)
    assert replay.gather(replay.draw(16))["is_first"][:, 0].all()
    replay.close()


def test_an_abandoned_episode_gets_is_last_where_it_broke_off(tmp_path, build, fill):
    replay = build(tmp_path)
    fill(replay, 40)
    data = replay.gather(replay.draw(64))
    np.testing.assert_array_equal(data["is_last"][:, :-1], data["is_first"][:, 1:])
    assert data["is_last"].any()
    assert not data["is_last"][:, -1].any()
    replay.close()


def test_capacity_in_steps_is_never_exceeded_and_nearly_used(tmp_path, build, fill):
    replay = build(tmp_path, capacity=400)
    for rows in range(1, 500):
        fill(replay, 1)
        steps = replay.stats()["steps"]
        assert steps <= 400
        assert steps >= min(2 * rows, 400 - 400 // 16 - 2)
    assert replay.gather(replay.draw(8))["vector"][..., 0].min() >= 299
    replay.close()


def test_capacity_in_bytes_is_true_of_the_disk(tmp_path, build):
    spaces = {
        "big": Space(np.uint8, (64, 64, 3)),
        "is_first": Space(bool),
        "is_last": Space(bool),
    }
    limit = 4_000_000
    replay = build(
        tmp_path, spaces=spaces, capacity=0, capacity_bytes=limit, latents=()
    )
    step = {
        "big": np.ones((2, 64, 64, 3), np.uint8),
        "is_first": np.zeros(2, bool),
        "is_last": np.zeros(2, bool),
    }
    for _ in range(300):
        replay.add(step)
        assert disk_bytes(tmp_path) <= limit
    assert replay.stats()["bytes"] == disk_bytes(tmp_path)
    assert disk_bytes(tmp_path) > 0.8 * limit
    replay.close()


def test_priorities_count_in_the_bytes(tmp_path, build, fill):
    limit = 1_000_000
    mixture = {"uniform": 0.5, "priority": 0.5}
    replay = build(tmp_path, capacity=0, capacity_bytes=limit, mixture=mixture)
    fill(replay, 9000)
    assert disk_bytes(tmp_path) <= limit
    assert replay.stats()["bytes"] >= disk_bytes(tmp_path)
    assert replay.stats()["segments"] > 8
    replay.close()


def test_a_smaller_capacity_evicts_when_a_replay_is_opened(tmp_path, build, fill):
    replay = build(tmp_path)
    fill(replay, 380)
    replay.close()
    replay = build(tmp_path, capacity=100)
    assert 0 < replay.stats()["steps"] <= 100
    fill(replay, 45)
    for _ in range(60):
        fill(replay, 1)
        # Old segments are gone, and none of their size was filled up.
        assert 80 < replay.stats()["steps"] <= 100
    assert replay.gather(replay.draw(8))["vector"][..., 0].max() < 485
    replay.close()


@pytest.mark.parametrize(
    "settings, words",
    [
        (dict(capacity=0), "both 0"),
        (dict(capacity=19), "at least 20"),
        (dict(capacity_bytes=50_000), "capacity_bytes"),
        (dict(mixture={"newest": 1.0}), "no sampler 'newest'"),
        (dict(mixture={"uniform": 0.0}), "not all 0"),
        (dict(mixture={"uniform": -1.0}), "not negative"),
    ],
)
def test_settings_that_cannot_work_are_refused(tmp_path, build, settings, words):
    with pytest.raises(ReplayError, match=words):
        build(tmp_path, **settings)


def test_drawing_from_an_empty_replay_says_what_is_missing(tmp_path, build, fill):
    replay = build(tmp_path)
    with pytest.raises(ReplayError, match="5 steps, each stream holds 0"):
        replay.draw(2)
    fill(replay, 4)
    assert len(replay) == 0
    with pytest.raises(ReplayError, match="each stream holds 4"):
        replay.sample(2)
    fill(replay, 1)
    assert len(replay) == 2
    replay.close()


def test_updates_come_back_as_context(tmp_path, build, fill):
    replay = build(tmp_path, capacity=400)  # segments of 12 rows: some straddle two
    fill(replay, 60)
    for value, row in enumerate(range(1, 50)):
        addresses = Addresses(np.array([row]), np.array([row % 2]))
        replay.update(addresses, latents(4, 1, value))
        for t in range(4):
            assert stored_deter(replay, row + t, row % 2) == value
    assert replay.stats()["updates"] == 49
    replay.close()


def test_updates_of_evicted_steps_are_skipped_and_counted(tmp_path, build, fill):
    replay = build(tmp_path, capacity=400)
    fill(replay, 60)
    addresses = Addresses(np.array([1, 50, 60]), np.array([0, 1, 1]))
    fill(replay, 200)
    replay.stats()
    first = 260 - int(replay.stats()["steps"]) // 2
    addresses = Addresses(np.array([1, first - 1, 250]), np.array([0, 1, 1]))
    replay.update(addresses, latents(4, 3, 77))
    assert replay.stats()["skipped"] == 4 + 1
    assert stored_deter(replay, first, 1) == 77
    assert stored_deter(replay, first + 3, 1) == (first + 3) * 100 + 1
    assert stored_deter(replay, 250, 1) == 77
    replay.close()


def test_drawn_sequences_stay_readable_after_eviction(tmp_path, build, fill):
    replay = build(tmp_path, capacity=200)
    fill(replay, 50)
    positions = replay.draw(16)
    before = replay.gather(positions)
    fill(replay, 300)
    after = replay.gather(positions)
    for key in before:
        np.testing.assert_array_equal(before[key], after[key])
    assert replay.locate(positions.addresses) is None
    replay.close()


def test_reports_do_not_change_what_is_drawn(tmp_path, build, fill):
    draws = []
    for name in ("with", "without"):
        replay = build(tmp_path / name, online=False)
        fill(replay, 50)
        replay.draw(4)
        if name == "with":
            replay.sample(6)
        draws.append(replay.draw(16))
        replay.close()
    np.testing.assert_array_equal(draws[0].row, draws[1].row)
    np.testing.assert_array_equal(draws[0].stream, draws[1].stream)


@pytest.mark.parametrize("mixture", [{"uniform": 1.0}, {"priority": 1, "recency": 1}])
def test_a_resumed_replay_draws_what_it_would_have_drawn(
    tmp_path, build, fill, mixture
):
    def go_on(replay):
        for _ in range(5):
            fill(replay, 7)
            positions = replay.draw(8)
            yield positions.row.tolist(), positions.stream.tolist()

    def begin(name):
        replay = build(tmp_path / name, mixture=mixture)
        fill(replay, 50)
        for _ in range(5):
            replay.draw(8)
        return replay

    straight = begin("straight")
    expected = list(go_on(straight))
    straight.close()
    stopped = begin("stopped")
    state = json.loads(json.dumps(stopped.state()))
    stopped.close()
    resumed = build(tmp_path / "stopped", mixture=mixture, seed=99)
    resumed.restore(state)
    assert list(go_on(resumed)) == expected
    assert resumed.stats()["samples"] == 80
    resumed.close()


def test_a_resumed_replay_reports_what_it_would_have_reported(tmp_path, build, fill):
    replay = build(tmp_path)
    fill(replay, 50)
    replay.sample(3)
    state = json.loads(json.dumps(replay.state()))
    expected = replay.sample(8)[1].row
    replay.close()
    replay = build(tmp_path, seed=99)
    replay.restore(state)
    np.testing.assert_array_equal(replay.sample(8)[1].row, expected)
    replay.close()


def test_rows_after_the_checkpoint_are_kept(tmp_path, build, fill):
    replay = build(tmp_path)
    fill(replay, 20)
    state = replay.state()
    fill(replay, 10)
    replay.close()
    replay = build(tmp_path)
    replay.restore(state)
    assert len(replay) == 2 * 26
    rows = replay.draw(12).row  # all windows of the run are fresh still
    assert sorted(set(rows.tolist())) == [0, 5, 10, 15, 20, 25]
    replay.close()


def test_a_folder_behind_the_checkpoint_goes_on_with_a_warning(tmp_path, build, fill):
    replay = build(tmp_path / "one")
    fill(replay, 20)
    state = replay.state()
    replay.close()
    replay = build(tmp_path / "two")
    fill(replay, 10)
    with pytest.warns(UserWarning, match="ends at row 10, the checkpoint knew 20"):
        replay.restore(state)
    replay.draw(8)
    replay.close()


def test_streams_may_change_between_runs(tmp_path, build, fill):
    for streams in (2, 3, 2):
        replay = build(tmp_path, streams=streams)
        fill(replay, 20)
        replay.close()
    replay = build(tmp_path, streams=4)
    assert len(replay) == 16 * (2 + 3 + 2)
    positions = replay.draw(500)
    vector = replay.gather(positions)["vector"]
    np.testing.assert_array_equal(
        vector[:, :, 0].T - vector[:, 0, 0], np.tile(np.arange(5)[:, None], 500)
    )
    assert not any(row < edge < row + 5 for row in positions.row for edge in (20, 40))
    replay.close()


def test_sequences_run_across_restarts(tmp_path, build, fill):
    for _ in range(4):
        replay = build(tmp_path, online=False)
        fill(replay, 3)
        assert replay.stats()["segments"] == 1
        replay.close()
    replay = build(tmp_path)
    assert len(replay) == 2 * 8
    assert {2, 3, 5} <= set(replay.draw(200).row.tolist())
    replay.close()


@pytest.mark.parametrize(
    "change, words",
    [
        (
            {"deter": Space(np.float32, (4,))},
            r"'deter' is float32 \[3\].*float32 \[4\]",
        ),
        ({"deter": Space(np.uint16, (3,), 0, 65536)}, "'deter' is float32"),
        ({"action": Space(np.int32, (), 0, 6)}, r"\[0, 5\).*\[0, 6\)"),
        ({"extra": Space(np.float32)}, "'extra' is absent on disk"),
    ],
)
def test_changed_spaces_are_refused(tmp_path, build, fill, spaces, change, words):
    replay = build(tmp_path)
    fill(replay, 3)
    replay.close()
    with pytest.raises(ReplayError, match=words):
        build(tmp_path, spaces=spaces | change)


@pytest.mark.parametrize(
    "change, words",
    [
        (lambda step: step.pop("reward"), r"missing keys \['reward'\]"),
        (lambda step: step.update(new=step["reward"]), r"unknown keys \['new'\]"),
        (lambda step: step.update(reward=np.zeros(3, "f")), r"'reward' is float32 \(3"),
        (lambda step: step.update(reward=np.zeros(2)), "'reward' is float64"),
    ],
)
def test_a_wrong_transition_is_refused(tmp_path, build, transition, change, words):
    replay = build(tmp_path)
    replay.add(transition(0, 2))
    step = transition(1, 2)
    change(step)
    with pytest.raises(ReplayError, match=words):
        replay.add(step)
    assert replay.stats()["steps"] == 2
    replay.close()


def test_two_processes_cannot_use_one_folder(tmp_path, build):
    replay = build(tmp_path)
    with pytest.raises(ReplayError, match="in use by another process"):
        build(tmp_path)
    replay.close()
    build(tmp_path).close()


def test_the_replay_ratio_counts_trained_steps(tmp_path, build, fill):
    replay = build(tmp_path)
    fill(replay, 50)
    replay.draw(10)
    stats = replay.stats()
    assert stats["inserts"] == 100 and stats["samples"] == 10
    assert stats["replay_ratio"] == 10 * 4 / 100
    assert replay.stats()["replay_ratio"] == 0
    replay.close()


def test_ten_gigabytes_open_in_under_a_second(tmp_path, spaces):
    stored = {k: v for k, v in spaces.items() if not k.startswith("log/")}
    stored["image"] = Space(np.uint8, (64, 64, 3))
    described = {key: describe(stored[key]) for key in sorted(stored)}
    rows, apparent = 170, 0
    for number in itertools.count():
        layout = Layout(described, 16, rows, number * rows, number * rows * 16)
        path = tmp_path / f"segment-{number * rows:015d}.dv3"
        head = bytearray(layout.head())
        head[8:16] = rows.to_bytes(8, "little")
        path.write_bytes(head)
        os.truncate(path, layout.arrays()[1])
        apparent += path.stat().st_size
        if apparent > 10e9:
            break
    start = time.perf_counter()
    replay = Replay(
        tmp_path, stored, streams=16, length=65, context=1, capacity=5_000_000
    )
    assert time.perf_counter() - start < 1
    assert replay.stats()["steps"] == (number + 1) * rows * 16
    replay.gather(replay.draw(16))
    replay.close()


def test_a_killed_process_loses_nothing_that_was_added(tmp_path, build):
    script = """
        import sys
        sys.path.insert(0, sys.argv[2])
        from conftest import SPACES, make_transition
        from dreamerv3_tf.replay.replay import Replay

        replay = Replay(
            sys.argv[1], SPACES, streams=2, length=5, context=1, capacity=100_000
        )
        for row in range(10**9):
            replay.add(make_transition(row, 2))
            print(row, flush=True)
    """
    here = os.path.dirname(__file__)
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), str(tmp_path), here],
        stdout=subprocess.PIPE,
        text=True,
        cwd=os.path.join(here, "..", ".."),
    )
    assert child.stdout
    lines = [child.stdout.readline() for _ in range(3000)]
    child.send_signal(signal.SIGKILL)
    lines += child.stdout.readlines()
    child.wait()
    child.stdout.close()
    told = int([line for line in lines if line.endswith("\n")][-1]) + 1
    replay = build(tmp_path, capacity=100_000, online=False)
    rows = replay.state()["rows"]
    assert told <= rows <= told + 1
    row = np.arange(1, rows - 4)
    data = replay.gather(replay.locate(Addresses(row, row % 2)))
    np.testing.assert_array_equal(data["vector"][:, 0, 0], row - 1)
    np.testing.assert_array_equal(data["vector"][:, 4, 1], row % 2)
    replay.close()
