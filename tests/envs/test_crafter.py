"""Crafter: reproducible in any process, and rewards by hand."""

import hashlib
import subprocess
import sys

import numpy as np

from dreamerv3_tf.envs import make_env
from dreamerv3_tf.envs.crafter import Ordered
from dreamerv3_tf.envs.hooks import env_summary


def digest(steps: int) -> str:
    """Fingerprint of an episode of random actions."""
    env, rng = make_env("crafter_reward", seed=5), np.random.default_rng(0)
    found = hashlib.sha256(env.reset()["image"].tobytes())
    for _ in range(steps):
        obs = env.step({"action": np.asarray(rng.integers(17), np.int32)})
        found.update(obs["image"].tobytes())
        if obs["is_last"]:
            obs = env.reset()
    return found.hexdigest()


def test_the_same_seed_is_the_same_game_in_every_process(request):
    # Before creatures were ordered, trajectories differed after some hundred steps.
    code = "from test_crafter import digest; print(digest(300))"
    found = set()
    for filler in ("[]", "list(map(object.__class__, range(9999)))"):
        command = f"import sys; sys.path.insert(0, {str(request.path.parent)!r}); "
        command += f"kept = {filler}; " + code
        run = subprocess.run(
            [sys.executable, "-c", command], capture_output=True, text=True
        )
        assert run.returncode == 0, run.stderr
        found.add(run.stdout.strip())
    assert len(found) == 1


def test_an_ordered_set_keeps_the_order_of_arrival():
    items = Ordered()
    for item in (3, 1, 2):
        items.add(item)
    items.remove(3)
    items.add(3)
    assert list(items) == [1, 2, 3] and len(items) == 3


def test_noreward_hides_the_reward_and_logs_it():
    plain, hidden = (make_env(f"crafter_{n}", seed=1) for n in ("reward", "noreward"))
    plain.reset(), hidden.reset()
    rng, total = np.random.default_rng(0), 0.0
    for _ in range(150):
        action = {"action": np.asarray(rng.integers(17), np.int32)}
        seen, unseen = plain.step(action), hidden.step(action)
        assert unseen["reward"] == 0
        assert unseen["log/reward"] == seen["reward"] == seen["log/reward"]
        total += float(seen["reward"])
        if seen["is_last"]:
            break
    assert total != 0


def test_22_achievements_are_counted_on_request():
    env = make_env("crafter_reward", seed=0)
    keys = [key for key in env.obs_space if key.startswith("log/achievement_")]
    assert len(keys) == 22
    quiet = make_env("crafter_reward", seed=0, logs=False)
    assert not [key for key in quiet.obs_space if key.startswith("log/achievement_")]


def test_success_is_marked_once_a_count_is_above_0():
    env = make_env("crafter_reward", seed=3)
    env.reset()
    rng, seen = np.random.default_rng(3), set()
    for _ in range(200):
        obs = env.step({"action": np.asarray(rng.integers(17), np.int32)})
        for key in [key for key in obs if key.startswith("log/achievement_")]:
            name = key.removeprefix("log/achievement_")
            assert obs[f"log/max/achieved/{name}"] == (obs[key] > 0)
            seen |= {name} if obs[key] > 0 else set()
        if obs["is_last"]:
            break
    assert seen  # some are easy, such as collecting a sapling


def test_the_score_is_the_geometric_mean_of_the_success_rates():
    # exp((ln(1 + 100) + ln(1 + 0)) / 2) - 1 = sqrt(101) - 1
    rates = {"achieved/place_plant": 1.0, "achieved/eat_cow": 0.0, "other": 0.5}
    found = env_summary("crafter_reward", rates)
    np.testing.assert_allclose(found["crafter_score"], np.sqrt(101) - 1)
    assert env_summary("crafter_reward", {}) == {} == env_summary("dmc_x_y", rates)


def test_the_length_cuts_the_episode_and_is_not_terminal():
    env = make_env("crafter_reward", seed=0, length=3, size=[48, 72])
    assert env.reset()["image"].shape == (48, 72, 3)
    trace = [env.step({"action": np.asarray(0, np.int32)}) for _ in range(3)]
    assert [bool(obs["is_last"]) for obs in trace] == [False, False, True]
    assert not trace[-1]["is_terminal"]


def test_death_is_terminal():
    env = make_env("crafter_reward", seed=0)
    env.reset()
    inner = env
    while not hasattr(inner, "_player"):
        inner = inner.env
    inner._player.health = 0
    obs = env.step({"action": np.asarray(0, np.int32)})
    assert obs["is_last"] and obs["is_terminal"]
