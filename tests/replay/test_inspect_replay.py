import pathlib
import subprocess
import sys

import numpy as np

ROOT = pathlib.Path(__file__).parents[2]


def inspect(*arguments):
    return subprocess.run(
        [sys.executable, "tools/inspect_replay.py", *map(str, arguments)],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )


def test_it_shows_segments_keys_and_episodes(tmp_path, build, transition):
    replay = build(tmp_path, streams=1, capacity=160)
    # Episodes of 4 steps with rewards 0, 1, 1, 1; the last one has no end.
    for row in range(22):
        step = transition(row, 1)
        step["is_first"] = np.array([row % 4 == 0])
        step["is_last"] = np.array([row % 4 == 3])
        step["is_terminal"] = np.array([row == 7])
        step["reward"] = np.array([float(row % 4 > 0)], np.float32)
        replay.add(step)
    # The run may still be going on: the replay is open.
    result = inspect(tmp_path)
    assert result.returncode == 0, result.stderr
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert any(line.startswith("0 to 22 1 22 3 ") for line in lines)
    assert "image uint8 [2, 3, 1] 6" in lines
    assert "action int32 [] in [0, 5) 4" in lines
    assert (
        "5 whole episodes, 1 of them terminal; 1 more without their begin or end"
        in lines
    )
    assert "return mean 3.00, median 3.00, from 3.00 to 3.00" in lines
    assert "length mean 4.00, median 4.00, from 4.00 to 4.00" in lines
    replay.close()


def test_it_says_that_a_replay_is_empty(tmp_path):
    result = inspect(tmp_path)
    assert result.returncode == 0
    assert "holds no steps" in result.stdout


def test_it_names_a_damaged_file(tmp_path):
    (tmp_path / "segment-000000000000000.dv3").write_bytes(b"nothing")
    result = inspect(tmp_path)
    assert result.returncode == 2
    assert "segment-000000000000000.dv3" in result.stderr
    assert "Traceback" not in result.stderr


def test_it_explains_its_use():
    result = inspect()
    assert result.returncode == 2
    assert "REPLAY_FOLDER" in result.stderr
