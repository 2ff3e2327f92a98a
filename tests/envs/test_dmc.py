"""Control suite: time limit, repeats, cameras.

Rendering happens in a process of its own, for a software renderer and TensorFlow crash
each other.
"""

import subprocess
import sys

import numpy as np
import pytest

from dreamerv3_tf.envs import EnvError, gl, make_env

RENDERING = """
import numpy as np
from dreamerv3_tf.envs import check_env, make_env
from dreamerv3_tf.envs.contract import find_problems

env = make_env("dmc_vision_cartpole_balance", seed=0, repeat=2, size=[32, 48])
assert find_problems(env, steps=4) == []
assert len(env.obs_space) == 5, env.obs_space
first = env.reset()["image"]
assert first.shape == (32, 48, 3) and first.std() > 1
action = {"action": np.ones(1, np.float32)}
for _ in range(5):
    image = env.step(action)["image"]
assert (image != first).any()
np.testing.assert_array_equal(env.render(), image)
env.close()
both = make_env("dmc_cartpole_balance", seed=0, image=True)
assert {"image", "position", "velocity"} <= set(both.reset())
same = make_env("dmc_vision_cartpole_balance", seed=0)
first = same.reset()["image"]
np.testing.assert_array_equal(first, both.render())
other = make_env("dmc_vision_cartpole_balance", seed=0, camera=1)
assert (first != other.reset()["image"]).any()
print("fine")
"""


def test_pictures_are_rendered_without_a_screen():
    run = subprocess.run(
        [sys.executable, "-c", RENDERING], capture_output=True, text=True
    )
    assert run.stdout.strip() == "fine", run.stderr


def steps(env, count):
    env.reset()
    return [env.step({"action": np.zeros(1, np.float32)}) for _ in range(count)]


def test_episodes_end_by_the_time_limit_after_1000_control_steps():
    env = make_env("dmc_cartpole_balance", seed=0, repeat=4)
    trace = steps(env, 250)
    assert trace[-1]["is_last"] and not trace[-1]["is_terminal"]
    assert not any(obs["is_last"] for obs in trace[:-1])


def test_repeats_sum_the_rewards_of_the_control_steps():
    once = steps(make_env("dmc_cartpole_balance", seed=0), 6)
    thrice = steps(make_env("dmc_cartpole_balance", seed=0, repeat=3), 2)
    for part, whole in enumerate(thrice):
        rewards = [obs["reward"] for obs in once[3 * part : 3 * part + 3]]
        np.testing.assert_allclose(whole["reward"], sum(rewards), rtol=1e-6)
        np.testing.assert_array_equal(whole["position"], once[3 * part + 2]["position"])


def test_scalars_stay_scalars():
    env = make_env("dmc_walker_walk", seed=0)
    assert env.obs_space["height"].shape == () and env.reset()["height"].shape == ()


def test_quadruped_actions_are_scaled_to_their_range_of_each_joint():
    env = make_env("dmc_quadruped_walk", seed=0)
    spec = env.env.env.env.env.act_space["action"]
    assert np.asarray(spec.high).max() > 1
    assert (np.asarray(env.act_space["action"].high) == 1).all()


def test_cup_is_short_for_ball_in_cup():
    short = make_env("dmc_cup_catch", seed=0).reset()
    long = make_env("dmc_ball_in_cup_catch", seed=0).reset()
    np.testing.assert_array_equal(short["position"], long["position"])


def test_pictures_beside_tensorflow_are_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow", object())
    with pytest.raises(EnvError, match="run.parallel=process"):
        make_env("dmc_vision_cartpole_balance", seed=0)
    assert gl.backend(needed=False) == "disable"


def test_a_machine_without_a_renderer_is_told_what_to_install(monkeypatch):
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    monkeypatch.setenv("MUJOCO_GL", "disable")
    with pytest.raises(EnvError, match="apt install libegl1"):
        make_env("dmc_vision_cartpole_balance", seed=0)


def test_loading_a_task_logs_nothing():
    code = (
        "from dreamerv3_tf.envs import make_env\n"
        "make_env('dmc_cheetah_run', seed=0).reset()"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (run.stdout, run.stderr, run.returncode) == ("", "", 0)
