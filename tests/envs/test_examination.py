"""What `check_env` says beyond the contract, about environments broken on purpose."""

import re

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from dreamerv3_tf.envs import EnvError, adapt, check_env, make_env, wrap
from dreamerv3_tf.envs.contract import Walk
from dreamerv3_tf.envs.examination import examine
from dreamerv3_tf.envs.finding import Finding, to_lines


class Good(gymnasium.Env):
    """A random walk of 5 steps, with a picture."""

    observation_space = spaces.Box(-np.inf, np.inf, (2,))
    action_space = spaces.Discrete(2)
    render_mode = "rgb_array"

    def observe(self):
        return self.np_random.normal(size=2).astype(np.float32)

    def reset(self, *, seed=None, options=None):  # noqa: ARG002
        super().reset(seed=seed)
        self.count = 0
        return self.observe(), {}

    def step(self, action):
        self.count += 1
        return self.observe(), float(action), self.count == 5, False, {}

    def render(self):
        return np.zeros((8, 8, 3), np.uint8)


def change(**members):
    return type("Changed", (Good,), members)


def findings(kind, **settings):
    """Findings about environments of a class, by name."""
    made = examine(lambda seed: wrap(adapt(kind(), seed)), steps=50, **settings)
    return {finding.name: finding for finding in made}


def shared():
    """A generator of the class: each one takes from it what another would get."""

    def reset(self, *, seed=None, options=None):  # noqa: ARG001
        kind = type(self)
        kind.rng = np.random.default_rng(seed) if seed is not None else kind.rng
        self.count = 0
        return self.observe(), {}

    def observe(self):
        return type(self).rng.normal(size=2).astype(np.float32)

    return change(reset=reset, observe=observe, rng=None)


def noisy(_):
    return np.random.default_rng().normal(size=2).astype(np.float32)


def constant(_):
    return np.zeros(2, np.float32)


def rewards(value):
    def step(self, _):
        self.count += 1
        return self.observe(), value, self.count == 5, False, {}

    return change(step=step)


def endless(self, _):
    return self.observe(), 1.0, False, False, {}


def fails(_):
    raise OSError("no screen")


def picture(*shape, dtype=np.uint8):
    return change(render=lambda _: np.zeros(shape, dtype))


SQUARE = spaces.Box(0, 255, (50, 50, 3), np.uint8)
WIDE = spaces.Box(-1, 1, (30_000,))
FREE = spaces.Box(-np.inf, np.inf, (2,))

NOTES = {
    "seeds differ": (change(observe=noisy), "seeds", "another episode, from step 0 on"),
    "seed unused": (change(observe=constant), "seeds", "4 other seeds gave the same"),
    "shared": (shared(), "independence", "disturb each other"),
    "zero": (rewards(0.0), "reward", "0 in all of 4"),
    "huge": (rewards(-1e6), "reward", r"-1e\+06 to -1e\+06"),
    "endless": (change(step=endless), "episodes", "none ended within 50 random steps"),
    "blind": (change(render_mode=None), "picture", "not made with render_mode"),
    "wide": (change(observation_space=WIDE, observe=None), "networks", "30,000 wide"),
    "unbounded": (change(action_space=FREE), "actions", "end at ±1"),
}

PROBLEMS = {
    "size": (change(observation_space=SQUARE, observe=None), "networks", "env.size=64"),
    "infinite": (rewards(np.inf), "values", "'reward' was infinite"),
    "raises": (change(render=fails), "picture", "raised OSError: no screen"),
    "dtype": (picture(8, 8, 3, dtype=float), "picture", "expected uint8"),
    "nothing": (change(render=lambda _: None), "picture", "dtype object"),
}


def sampled(kind):
    """The same, observing samples of its space where it has nothing to observe."""
    if kind.observe is None:
        kind.observe = lambda self: np.zeros(
            self.observation_space.shape, self.observation_space.dtype
        )
    if kind.action_space is FREE:
        kind.step = lambda self, _: Good.step(self, 1)
    return kind


def test_nothing_is_wrong_with_a_good_one():
    found = findings(Good)
    assert [finding.ok for finding in found.values()] == [True] * len(found)
    assert found["episodes"].found == "8 of 5 steps, all terminal"  # 8 · (5 + 1) < 50
    assert found["sees"].found == "observation (2)"
    assert found["does"].found == "action (2 classes)"
    assert set(found) >= {"contract", "seeds", "independence", "speed", "picture"}


@pytest.mark.parametrize("name", NOTES)
def test_what_is_worth_knowing_is_noted_with_what_to_do(name):
    kind, topic, words = NOTES[name]
    finding = findings(sampled(kind))[topic]
    assert not finding.ok and not finding.problem
    assert re.search(words, finding.found), finding
    assert finding.advice


@pytest.mark.parametrize("name", PROBLEMS)
def test_what_has_to_change_is_a_problem(name):
    kind, topic, words = PROBLEMS[name]
    finding = findings(sampled(kind))[topic]
    assert finding.problem and words in finding.found
    with pytest.raises(EnvError, match="breaks the environment contract in 1 way"):
        check_env(kind, steps=20)


def test_a_broken_contract_is_all_that_is_said():
    def step(_self, _action):
        return np.full(2, np.nan, np.float32), 0.0, False, False, {}

    found = findings(change(step=step))
    assert list(found) == ["contract"] and found["contract"].problem
    assert found["contract"].found.startswith("step() number 1: The observation")


def test_a_slow_environment_is_told_from_a_fast_one():
    walk = Walk(make_env("dummy_disc", seed=0), np.random.default_rng(0))
    walk.go(3)
    walk.step_seconds, walk.reset_seconds = [0.02, 0.02], [1.5]
    from dreamerv3_tf.envs.verdicts import speed

    # 2 steps in 0.04 s are 50 in a second.
    assert speed(walk).found == "50 steps per second, 1.5 s for a reset"
    assert not speed(walk).ok and "run.envs" in speed(walk).advice
    walk.step_seconds = [0.001, 0.001]
    assert speed(walk).ok


def test_more_steps_are_tried_where_they_are_fast():
    found = findings(Good, more=100)
    assert found["contract"].found == "kept over 150 random steps"


def test_any_environment_or_what_makes_it_can_be_checked():
    report = check_env(Good, steps=30)
    assert not report.problems and "ok       seeds: same seed" in str(report)
    report = check_env(lambda: Good(), steps=30)
    assert not report.problems
    report = check_env(Good(), steps=30)
    (seeds,) = [finding for finding in report.findings if finding.name == "seeds"]
    assert "one environment only" in seeds.found
    report = check_env(lambda seed: make_env("dummy_mask", seed=seed), steps=30)
    assert "1 action mask(s); 1 log/ entries" in str(report)


def test_environments_are_closed_unless_they_are_the_callers():
    closed = []

    class Closes(Good):
        def close(self):
            closed.append(self)

    check_env(Closes, steps=20)
    assert len(closed) == 5  # the walk, the same and another seed, and two at once
    closed.clear()
    check_env(Closes(), steps=20)
    assert not closed


def test_a_second_environment_that_cannot_be_made_is_only_a_note():
    alive = []

    def make(seed):
        if alive:
            raise EnvError("only one at a time")
        env = wrap(adapt(Good(), seed))
        alive.append(env)
        env.close = alive.clear
        return env

    found = {finding.name: finding for finding in examine(make, steps=20)}
    assert found["seeds"].ok
    assert "only one at a time" in found["independence"].found
    assert not found["independence"].problem and not alive


def test_masks_in_the_info_that_nobody_uses_are_noted():
    found = examine(lambda seed: make_env("gym_Taxi-v4", seed=seed), steps=10)
    (masks,) = [finding for finding in found if finding.name == "masks"]
    assert "env.mask=info" in masks.advice
    used = examine(lambda seed: make_env("gym_Taxi-v4", seed=seed, mask="info"))
    assert "masks" not in {finding.name for finding in used}


def test_findings_are_lines_with_what_to_do_below():
    lines = to_lines(
        [
            Finding("a", True, "fine", "never shown"),
            Finding("b", False, "odd", "Look.", needed=False),
            Finding("c", False, "bad", "word " * 40),
        ]
    )
    assert lines[:4] == [
        "  ok       a: fine",
        "  note     b: odd",
        "           Look.",
        "  PROBLEM  c: bad",
    ]
    assert all(len(line) <= 96 for line in lines) and len(lines) == 7
