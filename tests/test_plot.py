"""Learning curves from the files of runs: reading, averaging, drawing."""

import json
import subprocess
import sys

import numpy as np
import pytest


@pytest.fixture
def tools(root, monkeypatch):
    """The folder of the tools, so that they can be imported."""
    monkeypatch.syspath_prepend(str(root / "tools"))
    import plot
    from curves import binning, runs

    return plot, binning, runs


def write_run(folder, rows, *, task=None, seed=0, settings=""):
    """A folder as a run leaves it."""
    folder.mkdir(parents=True)
    lines = [json.dumps(row) + "\n" for row in rows]
    for name in ("scores.jsonl", "metrics.jsonl"):
        (folder / name).write_text("".join(lines))
    if task:
        text = f"task: {task}\nseed: {seed}\n{settings}"
        (folder / "config.yaml").write_text(text)
    return folder


def scores(count, slope=1.0, name="episode/score"):
    return [{"step": 10 * i, name: slope * i} for i in range(1, count + 1)]


def test_scores_are_read_with_their_frames(tools, tmp_path):
    _, _, runs = tools
    (run,) = runs.find_runs([write_run(tmp_path / "a", scores(4))])
    frames, values = runs.read_scores(run)
    np.testing.assert_array_equal(frames, [10, 20, 30, 40])
    np.testing.assert_array_equal(values, [1, 2, 3, 4])


def test_lines_written_again_after_a_resume_replace_the_old_ones(tools, tmp_path):
    # The process died after 40 and went on from a checkpoint at 20.
    _, _, runs = tools
    rows = [{"step": step, "episode/score": 1.0} for step in (10, 20, 30, 40)]
    rows += [{"step": step, "episode/score": 2.0} for step in (30, 30, 50)]
    (run,) = runs.find_runs([write_run(tmp_path / "a", rows)])
    frames, values = runs.read_scores(run)
    np.testing.assert_array_equal(frames, [10, 20, 30, 30, 50])
    np.testing.assert_array_equal(values, [1, 1, 2, 2, 2])


def test_a_value_at_the_end_of_a_bin_belongs_to_it(tools):
    # Edges 0, 20, 40: frames 0, 10 and 20 fall into the first bin, 21 and 40 into the
    # second, 41 into none. Means (1 + 3 + 5) / 3 = 3 and (7 + 9) / 2 = 8.
    _, binning, runs = tools
    points = runs.Points(
        np.array([0, 10, 20, 21, 40, 41]), np.array([1.0, 3, 5, 7, 9, 100])
    )
    means, counts = binning.bin_means(points, np.array([0, 20, 40]))
    np.testing.assert_array_equal(means, [3, 8])
    np.testing.assert_array_equal(counts, [3, 2])


def test_seeds_weigh_the_same_however_many_episodes_they_have(tools):
    # First bin: seed means 2 (of 1 and 3) and 6: mean 4, deviation 2. The second bin
    # has one seed, the third none.
    _, binning, runs = tools
    one = runs.Points(np.array([5, 10]), np.array([1.0, 3.0]))
    two = runs.Points(np.array([5, 15]), np.array([6.0, 8.0]))
    curve = binning.average([one, two], np.array([0, 10, 20, 30]))
    np.testing.assert_array_equal(curve.frames, [10, 20])
    np.testing.assert_array_equal(curve.mean, [4, 8])
    np.testing.assert_array_equal(curve.std, [2, 0])
    np.testing.assert_array_equal(curve.low, [2, 8])
    np.testing.assert_array_equal(curve.high, [6, 8])
    np.testing.assert_array_equal(curve.seeds, [2, 1])


def test_a_loss_that_is_nan_is_seen_in_the_mean_of_its_bin(tools):
    _, binning, runs = tools
    points = runs.Points(np.array([5, 10, 15]), np.array([1.0, np.nan, 2.0]))
    curve = binning.average([points], np.array([0, 10, 20]))
    np.testing.assert_array_equal(curve.mean, [np.nan, 2.0])


def test_only_runs_that_differ_in_the_seed_are_put_together(tools, tmp_path):
    _, _, runs = tools
    ratio = "run: {{train_ratio: {}, steps: {}}}\n"
    for seed, settings in enumerate([ratio.format(32, 1), ratio.format(32, 2)]):
        write_run(tmp_path / str(seed), [], task="dmc_x", seed=seed, settings=settings)
    write_run(tmp_path / "2", [], task="dmc_x", seed=0, settings=ratio.format(64, 1))
    write_run(tmp_path / "3", [], task="dmc_y", seed=0, settings=ratio.format(64, 1))
    groups = runs.group_runs(runs.find_runs([tmp_path]))
    assert [group.label for group in groups] == [
        "dmc_x run.train_ratio=32",
        "dmc_x run.train_ratio=64",
        "dmc_y",
    ]
    assert [run.seed for run in groups[0].runs] == [0, 1]


def test_a_run_named_twice_counts_once(tools, tmp_path):
    _, _, runs = tools
    folder = write_run(tmp_path / "a", scores(2), task="dmc_x")
    assert len(runs.find_runs([folder, tmp_path, folder / "."])) == 1


def test_the_figure_is_a_picture_in_every_format(tools, tmp_path):
    pytest.importorskip("matplotlib")
    plot, _, _ = tools
    for seed in range(2):
        folder = tmp_path / "runs" / str(seed)
        write_run(folder, scores(9, 1 + seed), task="dmc_x", seed=seed)
    files = [str(tmp_path / f"a.{ending}") for ending in ("png", "svg")]
    assert plot.main([str(tmp_path / "runs"), "--out", *files]) == 0
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    picture = (tmp_path / "a.svg").read_text()
    for text in ("25 equal ranges", "standard deviation", "2 seeds", "dmc_x"):
        assert text in picture


def test_the_same_curves_make_the_same_svg(tools, tmp_path):
    pytest.importorskip("matplotlib")
    plot, _, _ = tools
    run = str(write_run(tmp_path / "a", scores(9)))
    for name in ("b.svg", "c.svg"):
        assert plot.main([run, "--out", str(tmp_path / name)]) == 0
    assert (tmp_path / "b.svg").read_bytes() == (tmp_path / "c.svg").read_bytes()


def test_each_task_and_metric_has_a_panel(tools, tmp_path):
    plot, _, runs = tools
    rows = [{"step": 10, "loss/dyn": 1.0, "loss/rep": 2.0, "opt/loss": 3.0}]
    for task in ("dmc_x", "dmc_y"):
        write_run(tmp_path / task, rows, task=task)
    groups = runs.group_runs(runs.find_runs([tmp_path]))
    assert list(plot.collect(groups, ["loss/*"])) == [
        ("dmc_x", "loss/dyn"),
        ("dmc_x", "loss/rep"),
        ("dmc_y", "loss/dyn"),
        ("dmc_y", "loss/rep"),
    ]


def refused(plot, capsys, *arguments) -> str:
    """The one line of a refusal."""
    assert plot.main([str(argument) for argument in arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_bad_input_is_one_line_and_status_2(tools, tmp_path, capsys):
    plot, _, _ = tools
    run = write_run(tmp_path / "runs" / "a", [{"step": 1, "loss/dyn": 1.0}])
    out = ("--out", tmp_path / "a.png")
    (tmp_path / "empty").mkdir()
    assert "scores.jsonl" in refused(plot, capsys, tmp_path / "empty", *out)
    line = refused(plot, capsys, run, "--metric", "loss/din", *out)
    assert "Did you mean 'loss/dyn'?" in line
    assert ".svg" in refused(plot, capsys, run, "--out", tmp_path / "a.txt")
    assert "Make it" in refused(plot, capsys, run, "--out", tmp_path / "no" / "a.png")
    (run / "metrics.jsonl").write_text("nonsense\n")
    assert "line 1" in refused(plot, capsys, run, "--metric", "loss/dyn", *out)
    assert not (tmp_path / "a.png").exists()


def test_the_tool_runs_as_a_script(root, tmp_path):
    pytest.importorskip("matplotlib")
    run = write_run(tmp_path / "a", scores(3))
    out = tmp_path / "a.pdf"
    command = [sys.executable, root / "tools" / "plot.py", run, "--out", out]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert out.read_bytes().startswith(b"%PDF")
