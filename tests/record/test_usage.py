"""Resources of the process."""

import os
import subprocess
import sys

import numpy as np

from dreamerv3_tf.record.usage import Usage, folder_size


def test_memory_taken_shows_up(tmp_path):
    usage = Usage(tmp_path)
    before = usage.metrics()
    block = np.ones(200_000_000, np.uint8)
    after = usage.metrics()
    assert 0.15 < after["ram_gb"] - before["ram_gb"] < 0.3
    assert after["ram_peak_gb"] >= after["ram_gb"] * 0.98
    del block


def test_the_process_is_seen_at_work(tmp_path):
    usage = Usage(tmp_path)
    start = os.times().user
    while os.times().user - start < 0.1:
        sum(range(1000))
    assert usage.metrics()["cpu_percent"] > 5


def test_workers_are_counted_apart(tmp_path):
    usage = Usage(tmp_path)
    before = usage.metrics()["workers_ram_gb"]
    child = subprocess.Popen(
        [sys.executable, "-c", "x = bytearray(50_000_000); print(1); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert child.stdout and child.stdout.readline()
    assert usage.metrics()["workers_ram_gb"] - before > 0.05
    child.communicate(b"\n")


def test_the_folder_of_the_run_is_measured_by_blocks_on_disk(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "full").write_bytes(b"x" * 1_000_000)
    with open(tmp_path / "sparse", "wb") as file:
        file.truncate(1_000_000_000)
    assert 1_000_000 <= folder_size(tmp_path) < 2_000_000
    assert Usage(tmp_path).metrics()["logdir_gb"] < 0.002


def test_accelerator_memory_is_asked_of_the_given_function(tmp_path):
    memory = {"current": 2_000_000_000, "peak": 3_000_000_000}
    metrics = Usage(tmp_path, lambda: memory).metrics()
    assert metrics["gpu_current_gb"] == 2 and metrics["gpu_peak_gb"] == 3
    assert not [name for name in Usage(tmp_path).metrics() if "gpu" in name]
