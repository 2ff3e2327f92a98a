"""`tools/bench.py`: that it measures and what it writes, never how fast."""

import json
import math
import subprocess
import sys

import numpy as np
import pytest

FIELDS = {
    "name", "unit", "better", "median", "min", "max", "repeats", "calls",
    "wall_seconds", "cpu_seconds", "other_cores", "reference", "reference_factor",
    "older", "older_factor",
}  # fmt: skip
MACHINE = {
    "time", "processor", "cores", "usable_cores", "memory_gib", "load_average",
    "load_average_after", "system", "python", "packages", "git",
}  # fmt: skip


def run_bench(root, *arguments):
    command = [sys.executable, "tools/bench.py", *map(str, arguments)]
    return subprocess.run(command, cwd=root, capture_output=True, text=True)


@pytest.fixture
def bench(root, monkeypatch):
    """The folder of the tool's parts, as a package."""
    monkeypatch.syspath_prepend(str(root / "tools"))
    import bench
    from bench import report, stopwatch

    assert bench.report is report and bench.stopwatch is stopwatch
    return bench


def test_policy_and_replay_are_measured_and_written_as_json(root, tmp_path):
    path = tmp_path / "result.json"
    chosen = ["--quick", "--only", "policy,replay", "--inputs", "vector"]
    chosen += ["--sizes", "debug", "--repeat", 2, "--json", path]
    done = run_bench(root, *chosen)
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(path.read_text())
    assert result["machine"].keys() == MACHINE
    assert not result["skipped"] and not result["failed"]
    figures = {figure["name"]: figure for figure in result["figures"]}
    expected = {
        "policy/debug_vector": ["batch_1", "batch_16", "peak_memory"],
        "replay/debug_vector": ["insert", "sample", "update", "loader", "peak_memory"],
    }
    for case, names in expected.items():
        for name in names:
            figure = figures[f"{case}/{name}"]
            assert figure.keys() == FIELDS
            assert 0 < figure["min"] <= figure["median"] <= figure["max"] < math.inf
            assert figure["repeats"] == (1 if name == "peak_memory" else 2)
            assert figure["name"] in done.stdout


def test_a_failed_case_is_named_and_ends_with_status_1(root, tmp_path):
    path = tmp_path / "result.json"
    chosen = ["--only", "policy", "--sizes", "none", "--inputs", "image"]
    done = run_bench(root, *chosen, "--json", path)
    assert done.returncode == 1
    assert (
        "no preset 'none'"
        in json.loads(path.read_text())["failed"]["policy/none_image"]
    )


def test_environments_that_are_not_installed_are_skipped(root, tmp_path):
    path = tmp_path / "result.json"
    chosen = ["--quick", "--only", "envs", "--tasks", "gym_NoSuchTask-v0"]
    done = run_bench(root, *chosen, "--json", path)
    assert done.returncode == 0, done.stderr
    assert (
        "NoSuchTask"
        in json.loads(path.read_text())["skipped"]["envs/gym_NoSuchTask-v0"]
    )


def test_an_unknown_kind_or_a_foreign_file_ends_with_status_2(root, tmp_path):
    done = run_bench(root, "--only", "trian")
    assert done.returncode == 2 and "trian" in done.stderr
    path = tmp_path / "foreign.json"
    path.write_text("[1]")
    done = run_bench(root, "--only", "policy", "--compare", path)
    assert done.returncode == 2 and str(path) in done.stderr


@pytest.mark.parametrize(
    ("better", "median", "older", "factor"),
    [("low", 2.0, 3.0, 1.5), ("low", 2.0, 1.0, 0.5), ("high", 2.0, 1.0, 2.0)],
)
def test_factors_above_1_mean_better(bench, better, median, older, factor):
    figure = {"name": "train/1m_vector_off/step", "better": better, "median": median}
    past = {figure["name"]: {"median": older}}
    found = bench.report.add_comparisons(figure, "_off", past)
    assert found["older_factor"] == pytest.approx(factor)
    assert found["reference"] == [0.61]  # that of the case without `--xla`


def test_short_calls_are_repeated_until_they_fill_a_block(bench):
    watch = bench.stopwatch.Stopwatch("case", repeats=3, block=0.02)
    calls = []
    watch.rate("count", lambda: calls.append(np.ones(100).sum()), "steps", 16)
    (figure,) = watch.figures
    assert figure["repeats"] == 3
    assert len(calls) == 10 + 3 * figure["calls"] and figure["calls"] > 1
    assert figure["median"] == pytest.approx(16 / figure["wall_seconds"])
    assert 0 < figure["cpu_seconds"] < 10 * figure["wall_seconds"]


def test_cpu_seconds_count_all_threads(bench):
    # Two processes, half a second of work in each: about one CPU second.
    code = "import time\nwhile time.process_time() < 0.5: pass"

    def work():
        both = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]
        assert [process.wait() for process in both] == [0, 0]

    watch = bench.stopwatch.Stopwatch("case", repeats=1, block=0.0)
    watch.laps("two", work, 1)
    assert 0.9 < watch.figures[0]["cpu_seconds"] < 2.0
