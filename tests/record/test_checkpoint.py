"""Checkpoints: what goes in comes out, or an error says why not."""

import json
import math
import os
import shutil
import signal
import subprocess
import sys
import time
import tracemalloc

import ml_dtypes
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dreamerv3_tf.record import checkpoint
from dreamerv3_tf.record.checkpoint import CheckpointError, Checkpoints

DTYPES = st.one_of(
    hnp.boolean_dtypes(),
    hnp.integer_dtypes(endianness="?"),
    hnp.unsigned_integer_dtypes(),
    hnp.floating_dtypes(endianness="?"),
    hnp.complex_number_dtypes(),
    hnp.unicode_string_dtypes(max_len=4),
    hnp.datetime64_dtypes(),
)
ARRAYS = hnp.arrays(DTYPES, hnp.array_shapes(min_dims=0, min_side=0, max_side=3))
KEYS = st.one_of(st.text(max_size=4), st.sampled_from(["$", "value", "dtype"]))
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    ARRAYS,
    hnp.arrays(np.float32, ()).map(lambda x: x[()]),
    hnp.arrays(np.int64, ()).map(lambda x: x[()]),
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)
    ),
    max_leaves=12,
)


def assert_same(a, b):
    """Same structure, types, dtypes and bits."""
    assert type(a) is type(b)
    if isinstance(a, (np.ndarray, np.generic)):
        assert a.dtype == b.dtype and a.shape == b.shape
        assert a.tobytes() == b.tobytes()
    elif isinstance(a, dict):
        assert list(a) == list(b)
        for key in a:
            assert_same(a[key], b[key])
    elif isinstance(a, list):
        assert len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            assert_same(x, y)
    elif isinstance(a, float):
        assert a == b or (math.isnan(a) and math.isnan(b))
        assert math.copysign(1, a) == math.copysign(1, b) or math.isnan(a)
    else:
        assert a == b


def state_of(value):
    return {"agent": {"kernel": np.full(1000, value, np.float32)}, "clock": value}


def names(directory):
    return sorted(path.name for path in directory.iterdir())


@given(tree=TREES)
@settings(
    deadline=None,
    max_examples=80,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_state_comes_back_as_it_was(tmp_path, tree):
    checkpoints = Checkpoints(tmp_path, keep=1)
    checkpoints.save(3, {"part": tree})
    loaded = checkpoints.load()
    assert loaded.step == 3
    assert_same(loaded.state, {"part": tree})


@pytest.mark.parametrize("name", ["bfloat16", "float8_e4m3fn", "int4"])
@pytest.mark.parametrize("shape", [(), (0, 3), (5,), (2, 3)])
def test_dtypes_of_accelerators_come_back_as_they_were(tmp_path, name, shape):
    dtype = np.dtype(getattr(ml_dtypes, name))
    array = np.arange(math.prod(shape)).reshape(shape).astype(dtype)
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(0, {"x": array})
    assert_same(checkpoints.load().state["x"], array)


def test_arrays_of_any_layout_come_back_with_their_values(tmp_path):
    base = np.arange(24.0).reshape(2, 3, 4)
    arrays = [np.asfortranarray(base), base.T, base[:, ::-1, ::2], base[0, 0, ::2]]
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(0, {"x": arrays})
    for array, loaded in zip(arrays, checkpoints.load().state["x"], strict=True):
        np.testing.assert_array_equal(loaded, array)
        assert loaded.flags.writeable and loaded.flags.owndata


def test_the_state_of_a_random_generator_comes_back(tmp_path):
    rng = np.random.default_rng(7)
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(0, {"rng": rng.bit_generator.state})
    expected = rng.random(5)
    other = np.random.default_rng(0)
    other.bit_generator.state = checkpoints.load().state["rng"]
    np.testing.assert_array_equal(other.random(5), expected)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": [1, (2, 3)]}, r"part\.a\[1\] is a tuple"),
        ({"a": {1, 2}}, r"part\.a is a set"),
        ({"a": {1: 2}}, r"part\.a has the key 1"),
        ({"a": np.array([None])}, r"part\.a is an array of dtype object"),
        ({"a": b"bytes"}, r"part\.a is a bytes"),
    ],
)
def test_what_a_file_cannot_hold_is_named_and_leaves_nothing(tmp_path, value, message):
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(1, state_of(1))
    before = names(tmp_path)
    with pytest.raises(TypeError, match=message):
        checkpoints.save(2, {"part": value})
    assert names(tmp_path) == before and checkpoints.latest() == 1


def test_the_last_few_are_kept(tmp_path):
    checkpoints = Checkpoints(tmp_path / "new" / "folder", keep=2)
    assert checkpoints.latest() is None
    for step in (5, 10, 10, 20):
        checkpoints.save(step, state_of(step))
    assert names(tmp_path / "new" / "folder") == [
        "save-000003-step-10",
        "save-000004-step-20",
    ]
    assert checkpoints.latest() == 20
    assert checkpoints.load(10).state["clock"] == 10
    assert checkpoints.load().state["clock"] == 20


def test_saving_a_step_again_makes_that_the_latest(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(5, {"x": "old"})
    checkpoints.save(5, {"x": "new"})
    assert checkpoints.load().state["x"] == checkpoints.load(5).state["x"] == "new"


def test_leftovers_of_a_killed_save_are_ignored_and_removed_by_the_next(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(1, state_of(1))
    for name in (".saving-save-000002-step-2", ".old-save-000000-step-0"):
        shutil.copytree(tmp_path / "save-000001-step-1", tmp_path / name)
    assert checkpoints.latest() == 1 and checkpoints.load().step == 1
    checkpoints.save(2, state_of(2))
    assert names(tmp_path) == ["save-000001-step-1", "save-000002-step-2"]


def flip_a_bit(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def cut_off(path):
    os.truncate(path, path.stat().st_size - 1)


def delete(path):
    path.unlink()


@pytest.mark.parametrize("damage", [flip_a_bit, cut_off, delete])
@pytest.mark.parametrize(
    "file", ["agent.bin", "agent.json", "clock.json", "manifest.json"]
)
def test_a_damaged_file_is_named_and_the_older_checkpoint_used(tmp_path, file, damage):
    notices = []
    checkpoints = Checkpoints(tmp_path, notice=notices.append)
    checkpoints.save(100, state_of(1))
    damage(checkpoints.save(200, state_of(2)) / file)
    loaded = checkpoints.load()
    assert loaded.step == 100 and loaded.state["clock"] == 1
    (notice,) = notices
    assert f"save-000002-step-200/{file}" in notice
    assert "DAMAGED" in notice and "older one of step 100" in notice
    with pytest.raises(CheckpointError, match=file):
        checkpoints.load(200)


def test_an_intact_checkpoint_loads_without_a_word(tmp_path):
    notices = []
    checkpoints = Checkpoints(tmp_path, notice=notices.append)
    checkpoints.save(1, state_of(1))
    checkpoints.load()
    assert notices == []


def test_the_run_goes_on_from_its_own_saves_after_falling_back(tmp_path):
    checkpoints = Checkpoints(tmp_path, keep=1, notice=lambda _: None)
    checkpoints.save(100, state_of(1))
    checkpoints.keep = 2
    delete(checkpoints.save(200, state_of(2)) / "agent.bin")
    assert checkpoints.load().step == 100
    checkpoints.keep = 1
    checkpoints.save(150, state_of(3))  # a smaller step than the damaged one
    assert checkpoints.load().step == 150 and checkpoints.latest() == 150


def test_where_nothing_is_intact_every_problem_is_told(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    delete(checkpoints.save(1, state_of(1)) / "agent.bin")
    cut_off(checkpoints.save(2, state_of(2)) / "clock.json")
    with pytest.raises(CheckpointError, match=r"clock.json has .*agent.bin is missing"):
        checkpoints.load()


def test_a_checkpoint_that_is_not_there_is_an_error_with_those_that_are(tmp_path):
    checkpoints = Checkpoints(tmp_path / "none")
    with pytest.raises(CheckpointError, match="no checkpoint. Steps: none"):
        checkpoints.load()
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(7, state_of(1))
    with pytest.raises(CheckpointError, match="of step 8. Steps: 7"):
        checkpoints.load(8)


def test_parts_load_alone_and_damage_elsewhere_does_not_matter(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    flip_a_bit(checkpoints.save(1, state_of(4)) / "agent.bin")
    assert checkpoints.load(parts=["clock"]).state == {"clock": 4}
    with pytest.raises(CheckpointError, match="no part 'replay'. Parts: agent, clock"):
        checkpoints.load(parts=["replay"])


def test_a_checkpoint_of_a_newer_program_is_refused(tmp_path, monkeypatch):
    checkpoints = Checkpoints(tmp_path)
    with monkeypatch.context() as future:
        future.setattr(checkpoint, "FORMAT", 99)
        checkpoints.save(1, state_of(1))
    with pytest.raises(CheckpointError, match="format 99.*update the program"):
        checkpoints.load()


def test_the_manifest_tells_checksums_that_sha256sum_confirms(tmp_path):
    folder = Checkpoints(tmp_path).save(12, state_of(1))
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["step"] == 12 and manifest["versions"]["numpy"] == np.__version__
    lines = [f"{x['sha256']}  {name}" for name, x in manifest["files"].items()]
    assert sorted(manifest["files"]) == names(folder)[:-1]  # all but the manifest
    check = ["sha256sum", "--check", "--quiet"]
    subprocess.run(check, input="\n".join(lines), text=True, cwd=folder, check=True)


def test_names_of_parts_cannot_leave_the_folder(tmp_path):
    for name in ("../agent", "a/b", "", "manifest"):
        with pytest.raises(ValueError, match="no name for a part"):
            Checkpoints(tmp_path).save(1, {name: 1})


def test_neither_saving_nor_loading_holds_the_state_twice(tmp_path):
    state = {"x": [np.ones(1_000_000) for _ in range(8)]}  # 64 MB
    checkpoints = Checkpoints(tmp_path)
    tracemalloc.start()
    checkpoints.save(1, state)
    saving = tracemalloc.get_traced_memory()[1]
    tracemalloc.reset_peak()
    loaded = checkpoints.load().state
    loading = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert saving < 10e6
    assert 64e6 <= loading < 80e6 and len(loaded["x"]) == 8


def test_values_on_a_device_are_fetched_one_at_a_time(tmp_path):
    order = []

    class Variable:
        def __init__(self, value):
            self.value = value

        def __array__(self, dtype=None, copy=None):
            order.append((self.value, (tmp_path / folder / "x.bin").stat().st_size))
            return np.full(10_000_000, self.value, np.uint8)

    folder = ".saving-save-000001-step-1"
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(1, {"x": [Variable(1), Variable(2)]})
    assert order == [(1, 0), (2, 10_000_000)]
    assert [x[0] for x in checkpoints.load().state["x"]] == [1, 2]


KILLED = """
import sys
import time
import numpy as np
from dreamerv3_tf.record import checkpoint
from dreamerv3_tf.record.checkpoint import Checkpoints

checkpoints = Checkpoints(sys.argv[1], keep=2)
step = 0
while True:
    step += 1
    state = {"a": np.full(2_000_000, step), "b": [np.full(10, step)] * 200, "c": step}
    checkpoints.save(step, state)
    print(step, flush=True)
"""


@pytest.mark.parametrize("delay", [0.0, 0.004, 0.011, 0.023, 0.037])
def test_a_kill_during_a_save_leaves_the_last_checkpoint(tmp_path, delay):
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        assert child.stdout.readline() == "1\n" and child.stdout.readline() == "2\n"
        time.sleep(delay)  # into the next save, to a different place each time
        os.kill(child.pid, signal.SIGKILL)
        finished = [int(line) for line in child.stdout.read().split()]
    said = max(finished, default=2)
    notices = []
    checkpoints = Checkpoints(tmp_path, keep=2, notice=notices.append)
    step, state, *_ = checkpoints.load()
    assert step in (said, said + 1) and notices == []
    assert (state["a"] == step).all() and state["c"] == step
    checkpoints.save(step + 1, {"c": 0})
    assert len(names(tmp_path)) == 2 and checkpoints.latest() == step + 1


@pytest.mark.parametrize("stop", ["agent.bin", "agent.json", "clock.bin", "manifest"])
def test_a_save_that_fails_midway_leaves_the_last_checkpoint(
    tmp_path, monkeypatch, stop
):
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(1, state_of(1))
    before, real = names(tmp_path), os.fsync

    def full(descriptor):
        if stop in os.readlink(f"/proc/self/fd/{descriptor}"):
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        checkpoints.save(2, state_of(2))
    assert names(tmp_path) == before and checkpoints.load().step == 1


def test_every_file_and_folder_is_on_the_disk_before_the_rename(tmp_path, monkeypatch):
    events = []
    real_sync, real_rename = os.fsync, type(tmp_path).rename

    def sync(descriptor):
        events.append(os.path.basename(os.readlink(f"/proc/self/fd/{descriptor}")))
        real_sync(descriptor)

    def rename(path, target):
        events.append("rename")
        return real_rename(path, target)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(type(tmp_path), "rename", rename)
    Checkpoints(tmp_path).save(1, {"x": 1})
    files = ["x.bin", "x.json", "manifest.json", ".saving-save-000001-step-1"]
    assert events == [*files, "rename", tmp_path.name]
