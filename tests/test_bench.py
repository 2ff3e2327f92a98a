"""`tools/bench.py`: that it measures and what it writes, never how fast."""

import json
import math
import re
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
    from bench import cases, growth, loop, memory, report, scale, stopwatch

    assert bench.report is report and bench.stopwatch is stopwatch
    assert bench.loop is loop and bench.memory is memory and bench.cases is cases
    assert bench.growth is growth and bench.scale is scale
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
    done = run_bench(root, "--only", "policy", "--json", tmp_path / "none" / "a.json")
    assert done.returncode == 2 and "no folder" in done.stderr
    done = run_bench(root, "--only", "policy", "--plot", tmp_path / "a.png")
    assert done.returncode == 2 and "--only scale" in done.stderr
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


def line_of_metrics(**sections):
    """A line as the loop's timer makes it; sections are `(seconds, visits, share)`."""
    line = {"step": 1, "progress/agent_steps": 1}
    for name, (seconds, visits, share) in sections.items():
        line |= {f"time/{name}/share": share, f"time/{name}/mean": seconds / visits}
        line |= {f"time/{name}/count": float(visits), f"time/{name}/max": seconds}
    return line


def test_shares_of_the_loop_are_of_the_time_after_the_first_train_step(bench):
    loop = bench.loop
    # The first two lines are left out: nothing is trained in one, and the other holds
    # the compilation. Then 10 s and 30 s: trained 6 + 25, environments 2 + 3, waiting
    # 0.4 + 0, logs 1 + 1 of 40 s; 40 − 31 − 5 − 0.4 − 2 = 1.6 s in no section.
    lines = [
        line_of_metrics(policy=(3.0, 6, 0.5)),
        line_of_metrics(train=(90.0, 3, 0.9), batch=(2.0, 3, 0.02)),
        {"step": 2, "episode/score": 1.0},
        line_of_metrics(
            train=(6.0, 3, 0.6), environment=(2.0, 10, 0.2), batch=(0.4, 3, 0.04),
            log=(1.0, 1, 0.1),
        ),
        line_of_metrics(
            train=(25.0, 9, 25 / 30), environment=(3.0, 9, 0.1), report=(1.0, 1, 1 / 30)
        ),
    ]  # fmt: skip
    shares = loop.find_shares(loop.steady(loop.windows(lines)))
    assert shares["train"] == pytest.approx(31 / 40)
    assert shares["environments"] == pytest.approx(5 / 40)
    assert shares["train_or_environments"] == pytest.approx(36 / 40)
    assert shares["waiting_for_data"] == pytest.approx(0.4 / 40)
    assert shares["logging"] == pytest.approx(2 / 40)
    assert shares["policy"] == shares["checkpoints"] == 0
    assert shares["other"] == pytest.approx(1.6 / 40)
    with pytest.raises(RuntimeError, match="too short"):
        loop.steady(loop.windows(lines[:3]))


def test_the_groups_of_the_loop_name_all_of_its_sections(bench, root):
    loop = bench.loop
    text = "".join(
        (root / "dreamerv3_tf" / "run" / name).read_text()
        for name in ("train.py", "session.py", "vector.py")
    )
    sections = set(re.findall(r"timer\(\"(\w+)\"\)", text)) - {"evaluate"}
    grouped = {name for names in loop.GROUPS.values() for name in names}
    assert grouped == sections


def test_a_score_is_the_mean_of_the_last_ten_episodes_by_then(bench):
    loop = bench.loop
    lines = [{"step": 10 * i, "episode/score": float(i)} for i in range(1, 21)]
    assert loop.score_at(lines, 150) == sum(range(6, 16)) / 10
    assert loop.score_at(lines, 29) == 1.5
    assert math.isnan(loop.score_at(lines, 9))


def test_pages_of_files_count_as_memory_but_not_as_anonymous(bench, tmp_path):
    memory = bench.memory
    # 30 MB of memory, and 60 MB of a replay's file, in a process of its own.
    code = (
        "import mmap, sys\n"
        "file = open(sys.argv[1], 'w+b'); file.truncate(60_000_000)\n"
        "pages = mmap.mmap(file.fileno(), 0)\n"
        "pages.write(bytes(60_000_000)); size = bytearray(30_000_000)\n"
        "print('ready', flush=True); sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "segment-0.dv3")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as child:
        assert child.stdout.readline() == b"ready\n"
        with memory.MemoryWatch(child.pid, replay=True) as watch:
            watch.sample()
        child.stdin.close()
    peaks = watch.peaks
    assert 90e6 < peaks["total"] < 140e6
    assert 30e6 < peaks["anonymous"] < 60e6
    assert peaks["total"] - peaks["beyond_replay"] == pytest.approx(60e6, rel=0.01)
    assert peaks["beyond_replay"] == peaks["learner_beyond_replay"]


def test_memory_of_processes_that_a_process_started_counts(bench):
    memory = bench.memory
    inner = "import sys; size = bytearray(40_000_000); print('x', flush=True)"
    inner += "; sys.stdin.read()"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}])"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", code], **pipes) as child:
        assert child.stdout.readline() == b"x\n"
        watch = memory.MemoryWatch(child.pid, replay=True)
        watch.sample()
        child.stdin.close()
    assert watch.peaks["anonymous"] > 45e6 > watch.peaks["learner_beyond_replay"]


def test_learning_and_scale_are_measured_on_request_only(bench):
    assert set(bench.cases.ON_REQUEST) == {"learning", "scale"} < set(bench.cases.KINDS)


def test_the_points_of_scale_differ_from_the_base_in_one_number(bench):
    scale = bench.scale
    points = scale.points(quick=False)
    trained = [p for p in points if p["part"] == "train"]
    names = [scale.point_name(point) for point in points]
    assert len(set(names)) == len(names) and "train_16x64_h15" in names
    for point in trained:
        changed = [key for key, value in scale.BASE.items() if point[key] != value]
        assert len(changed) <= 1
    assert [p["stored"] for p in points if p["part"] == "replay"] == [
        10**4, 10**5, 10**6, 10**7
    ]  # fmt: skip
    assert names[-1] == "envs_64"


def test_operations_of_a_full_replay_are_measured(bench):
    scale = bench.scale
    watch = bench.stopwatch.Stopwatch("case", repeats=2, block=0.001)
    scale.replay({"stored": 4000}, watch)
    figures = {figure["name"]: figure for figure in watch.figures}
    assert figures["case/open"]["repeats"] == 1
    for name in ("insert", "sample", "update"):
        assert 0 < figures[f"case/{name}"]["median"] < math.inf


def test_driving_environments_is_compared_with_stepping_them_alone(root):
    code = (
        "import sys; sys.path[:0] = ['tools', '.']\n"
        "from bench import fleet, stopwatch\n"
        "if __name__ == '__main__':\n"
        "    watch = stopwatch.Stopwatch('case', repeats=2, block=0.0)\n"
        "    case = dict(task='dummy_disc', num=2, steps=5, repeats=2)\n"
        "    fleet.fleet(case, watch)\n"
        "    import json; print(json.dumps(watch.figures))\n"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    figures = {figure["name"]: figure for figure in json.loads(done.stdout)}
    assert figures["case/driven"]["repeats"] == figures["case/alone"]["repeats"] == 2
    assert figures["case/overhead"]["min"] > -1
    low, high = (figures["case/driven"][x] / figures["case/alone"][y] - 1
                 for x, y in (("min", "max"), ("max", "min")))  # fmt: skip
    assert low <= figures["case/overhead"]["median"] <= high


def scale_figures():
    """Train steps of 0.1 s and 1 ms for each trained step but for one, and a replay."""
    base = {"unit": "s", "better": "low", "repeats": 3}
    seconds = {"2x8_h3": 0.116, "4x8_h3": 0.132, "2x16_h3": 0.132, "2x8_h6": 0.2}
    figures = [
        {**base, "name": f"scale/train_{name}/step", "median": x, "min": x, "max": x}
        for name, x in seconds.items()
    ]
    base = {"unit": "batches/s", "better": "high", "repeats": 3, "reference": None}
    base |= {"cpu_seconds": 0.1, "other_cores": None, "reference_factor": None}
    figures += [
        {
            **base,
            "name": f"scale/replay_{n}/sample",
            "median": 5.0,
            "min": 4.0,
            "max": 9,
        }
        for n in (10_000, 100_000)
    ]
    return [{**base, **figure} for figure in figures]


def test_a_line_through_the_points_tells_fixed_cost_slope_and_distance(bench):
    growth = bench.growth
    lines = growth.lines(scale_figures())
    batch = lines["trained steps of a batch"]
    assert batch["fixed"] == pytest.approx(0.1) and batch["slope"] == pytest.approx(
        1e-3
    )
    assert batch["worst"] == pytest.approx(0, abs=1e-9)
    # From 0.116 s at 3 to 0.2 s at 6 imagined steps.
    assert lines["imagined steps"]["slope"] == pytest.approx(0.028)
    # 1, 3, 2 at 0, 1, 2: the line 1.5 + 0.5 x is 1/2 below 3/2 + … at x = 0: 1/1.5 − 1.
    line = growth.fit([(0, 1.0), (1, 3.0), (2, 2.0)])
    assert (line.fixed, line.slope) == pytest.approx((1.5, 0.5))
    assert line.worst == pytest.approx(0.5)


def test_a_saved_result_is_shown_and_drawn_again(root, tmp_path):
    data, picture = tmp_path / "scale.json", tmp_path / "scale.svg"
    data.write_text(json.dumps({"figures": scale_figures()}))
    done = run_bench(root, "--read", data, "--plot", picture)
    assert done.returncode == 0, done.stderr
    assert "1 ms for each" in done.stdout
    for text in ("trained steps of a batch", "imagined steps", "stored steps"):
        assert text in picture.read_text()
    data.write_text(json.dumps({"figures": []}))
    done = run_bench(root, "--read", data, "--plot", picture)
    assert done.returncode == 2 and "no figures" in done.stderr


@pytest.mark.slow
def test_the_loop_of_a_training_is_measured(root, tmp_path):
    path = tmp_path / "result.json"
    chosen = ["--quick", "--only", "loop", "--sizes", "debug", "--xla", "off"]
    done = run_bench(root, *chosen, "--json", path)
    assert done.returncode == 0, done.stdout + done.stderr
    figures = {f["name"]: f["median"] for f in json.loads(path.read_text())["figures"]}
    shares = {
        name.rpartition("share_")[2]: x
        for name, x in figures.items()
        if "share_" in name
    }
    both = shares.pop("train_or_environments")
    assert both == pytest.approx(shares["train"] + shares["environments"])
    assert sum(shares.values()) == pytest.approx(1) and min(shares.values()) > -0.01
    sizes = {k.rpartition("/")[2]: x for k, x in figures.items() if "memory" in k}
    assert sizes["peak_memory_total"] >= sizes["peak_memory_beyond_replay"]
    assert sizes["peak_memory_beyond_replay"] > sizes["peak_memory_anonymous"] > 100
