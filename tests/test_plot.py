"""Learning curves from the files of a run."""

import importlib.util
import json
import pathlib

import numpy as np
import pytest

PATH = pathlib.Path(__file__).parents[1] / "tools" / "plot.py"


@pytest.fixture(scope="module")
def plot():
    spec = importlib.util.spec_from_file_location("plot", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write_run(folder, rows):
    folder.mkdir()
    lines = [json.dumps(row) for row in rows]
    (folder / "scores.jsonl").write_text("\n".join(lines) + "\n")


def test_scores_are_read_with_their_frames(plot, tmp_path):
    write_run(
        tmp_path / "a", [{"step": 10 * i, "episode/score": i} for i in range(1, 5)]
    )
    frames, values = plot.load_curve(tmp_path / "a", "episode/score")
    np.testing.assert_array_equal(frames, [10, 20, 30, 40])
    np.testing.assert_array_equal(values, [1, 2, 3, 4])


def test_bins_average_the_values_inside_them(plot):
    # Edges 0, 20, 40: frames 10 and 20 fall into the first bin, 40 into the second.
    edges, means = plot.binned(np.array([10, 20, 40]), np.array([1.0, 3.0, 5.0]), 2)
    np.testing.assert_array_equal(edges, [20, 40])
    np.testing.assert_array_equal(means, [2, 5])


def test_the_figure_is_a_picture(plot, tmp_path):
    pytest.importorskip("matplotlib")
    write_run(
        tmp_path / "a", [{"step": 10 * i, "episode/score": i} for i in range(1, 5)]
    )
    assert plot.main([str(tmp_path / "a"), "--out", str(tmp_path / "a.png")]) == 0
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_a_folder_without_a_run_is_one_line_and_status_2(plot, tmp_path, capsys):
    assert plot.main([str(tmp_path), "--out", str(tmp_path / "a.png")]) == 2
    error = capsys.readouterr().err
    assert "scores.jsonl" in error and len(error.splitlines()) == 1
