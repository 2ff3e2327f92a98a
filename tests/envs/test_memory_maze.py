"""Memory Maze, rendered in processes of its own: see test_dmc.py."""

import functools
import importlib.util
import json
import subprocess
import sys

import pytest

from dreamerv3_tf import presets
from dreamerv3_tf.envs import EnvError, make_env
from dreamerv3_tf.envs.hooks import env_requirements

needs_package = pytest.mark.skipif(
    importlib.util.find_spec("memory_maze") is None,
    reason="Memory Maze is not installed: pip install memory-maze",
)

PLAYING = """
import json, os, sys
import numpy as np
from dreamerv3_tf.envs import make_env
from dreamerv3_tf.envs.contract import find_problems

before = os.environ.get("MUJOCO_GL")
env = make_env("memory_maze_9x9", seed=2)
found = {
    "problems": find_problems(env, steps=12),
    "actions": env.act_space["action"].classes,
    "modules": [name for name in ("gym", "memory_maze") if name in sys.modules],
    "variable": os.environ.get("MUJOCO_GL") == before,
}
image = env.render()
border = np.concatenate([image[:2].reshape(-1, 3), image[:, :2].reshape(-1, 3)])
found["shape"] = image.shape
found["border"] = np.unique(border, axis=0).tolist()
found["inside"] = float(image[2:-2, 2:-2].std())
from memory_maze.maze import TARGET_COLORS
found["colours"] = [(0.7 * 255 * c).astype(int).tolist() for c in TARGET_COLORS]
print(json.dumps(found))
"""

SEEDS = """
import hashlib, json
import numpy as np
from dreamerv3_tf.envs import make_env

def play(index):
    env = make_env("memory_maze_9x9", seed=5, index=index)
    rng = np.random.default_rng(0)
    obs, found = env.reset(), hashlib.sha256()
    for _ in range(12):
        found.update(obs["image"].tobytes())
        obs = env.step({"action": np.asarray(rng.integers(6), np.int32)})
    return found.hexdigest()

print(json.dumps([play(0), play(0), play(1)]))
"""

WHOLE_EPISODE = """
import json
import numpy as np
from dreamerv3_tf.envs import make_env

env = make_env("memory_maze_9x9", seed=2)
rng, trace = np.random.default_rng(0), [env.reset()]
first = trace[0]["image"]
while not trace[-1]["is_last"]:
    trace.append(env.step({"action": np.asarray(rng.integers(6), np.int32)}))
rewards = {float(obs["reward"]) for obs in trace}
terminal = any(bool(obs["is_terminal"]) for obs in trace)
other = bool((env.reset()["image"] != first).any())
print(json.dumps([len(trace) - 1, sorted(rewards), terminal, other]))
"""


@functools.cache
def run(code):
    """What a program prints as JSON; and nothing else may be printed."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    return json.loads(done.stdout)


@needs_package
def test_a_maze_keeps_the_contract_with_six_actions_and_square_pictures():
    found = run(PLAYING)
    assert found["problems"] == []
    assert found["actions"] == [6] and found["shape"] == [64, 64, 3]


@needs_package
@pytest.mark.slow
def test_the_same_seed_is_the_same_maze_in_any_process_and_another_index_another():
    one, same, other = run(SEEDS)
    assert one == same != other
    # The comment makes it another program, which is run again.
    assert [one, same, other] == run(SEEDS + "# again")


@needs_package
def test_the_border_has_the_colour_of_the_object_to_find():
    found = run(PLAYING)
    (colour,) = found["border"]
    # 9x9 has the first three colours of the package, at 70 % of their brightness.
    assert colour in found["colours"][:3]
    assert found["inside"] > 5


@needs_package
def test_a_process_is_left_without_gym_and_with_its_own_choice_of_renderer():
    found = run(PLAYING)
    assert found["modules"] == [] and found["variable"]


@needs_package
@pytest.mark.slow
def test_an_episode_is_cut_after_1000_steps_and_is_not_terminal():
    # 250 seconds with 4 actions in each.
    count, rewards, terminal, other = run(WHOLE_EPISODE)
    assert count == 1000 and not terminal
    assert set(rewards) <= {0.0, 1.0}
    assert other  # the next episode has a maze of its own


@needs_package
@pytest.mark.slow
@pytest.mark.parametrize("name", ["11x11", "13x13", "15x15"])
def test_the_larger_mazes_run(name):
    assert run(PLAYING.replace("9x9", name))["problems"] == []


def test_an_unknown_maze_is_named_with_those_there_are():
    with pytest.raises(EnvError, match="Mazes: 9x9, 11x11, 13x13, 15x15"):
        make_env("memory_maze_10x10", seed=0)


@pytest.mark.parametrize("size", [[64, 96], [32, 32]])
def test_sizes_that_the_package_can_not_draw_are_refused(size):
    with pytest.raises(EnvError, match="a square of at least 64 pixels"):
        make_env("memory_maze_9x9", seed=0, size=size)


def test_where_the_package_is_missing_it_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "memory_maze", None)  # makes its import fail
    finding = env_requirements("memory_maze_9x9", {})[0]
    assert not finding.ok and "pip install memory-maze" in finding.advice


def test_the_configuration_is_one_of_ours():
    config = presets.load("memory_maze_9x9")
    assert config.run.steps == 100_000_000 and list(config.env["size"]) == [64, 64]
