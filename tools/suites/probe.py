"""One measurement of a suite, in a process of its own; prints a line of JSON.

python tools/suites/probe.py alone TASK SECONDS FILE    FILE.gif and FILE.png too
python tools/suites/probe.py policy TASK SECONDS
"""

from __future__ import annotations

import contextlib
import json
import pathlib
import sys
import time
from collections.abc import Callable
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from dreamerv3_tf import presets  # noqa: E402
from dreamerv3_tf.envs import hooks, make_env  # noqa: E402
from dreamerv3_tf.envs.base import Env, EnvError, Obs, random_action  # noqa: E402
from dreamerv3_tf.run.vector import VectorEnv  # noqa: E402

WARM_UP = 20  # steps before the clock starts
FRAMES = 200  # of a video


def alone(task: str, seconds: float, path: str) -> dict[str, float]:
    """Steps per second with random actions, resets included; writes the video."""
    settings = presets.load(task).env
    hooks.prepare_env(task, settings, lambda text: print(text, file=sys.stderr))
    rng = np.random.default_rng(0)
    env = make_env(task, seed=0, **settings)
    with contextlib.closing(env):
        obs = env.reset()

        def step() -> None:
            nonlocal obs
            obs = advance(env, obs, rng)

        rate = measure(step, seconds)
    film(task, settings, pathlib.Path(path))
    return {"alone": rate}


def policy(task: str, seconds: float) -> dict[str, float]:
    """Steps per second of one environment with the policy of a fresh agent, 1m."""
    from dreamerv3_tf.run.build import build_agent, build_envs
    from dreamerv3_tf.run.device import set_up
    from dreamerv3_tf.run.driver import Driver
    from dreamerv3_tf.run.session import Acting

    config = presets.load(task, ["size1m"], ["run.eval_envs=1"])
    hooks.prepare_env(task, config.env, lambda text: print(text, file=sys.stderr))
    device = set_up(config.compute)
    with contextlib.closing(build_envs(config, evaluation=True)) as envs:
        agent = build_agent(config, device, envs.obs_space, envs.act_space)
        driver = Driver(envs, Acting(agent, 0, "sample"))
        return {"policy": measure(driver.step, seconds)}


def advance(env: Env, obs: Obs, rng: np.random.Generator) -> Obs:
    """The next observation of an endless walk."""
    if obs["is_last"]:
        return env.reset()
    return env.step(random_action(env.act_space, obs, rng))


def measure(step: Callable[[], object], seconds: float) -> float:
    """Calls per second."""
    for _ in range(WARM_UP):
        step()
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        step()
        count += 1
    return count / (time.perf_counter() - start)


def film(task: str, settings: dict[str, Any], path: pathlib.Path) -> None:
    """Writes the beginning of an episode as `path.gif`, its last frame as `path.png`.

    What the agent sees where that is a picture, else what the suite shows people; no
    file where there is neither. The environment is where trainings have it: only a
    process of its own can draw with OpenGL.
    """
    from dreamerv3_tf.record import video
    from dreamerv3_tf.run.workers import make_envs

    rng, frames = np.random.default_rng(0), []
    with contextlib.closing(make_envs(task, num=1, seed=0, **settings)) as group:
        for _ in range(FRAMES):
            obs = {key: value[0] for key, value in group.recv().items()}
            try:
                frames.append(look(group, obs))
            except EnvError as error:
                print(f"no picture: {error}", file=sys.stderr)
                return
            if obs["is_last"]:
                break
            action = random_action(group.act_space, obs, rng)
            group.send({key: value[None] for key, value in action.items()})
    shown = video.enlarge(np.stack(frames))
    path.with_suffix(".gif").write_bytes(video.gif(shown))
    video.picture(shown[-1]).convert("RGB").save(path.with_suffix(".png"))


def look(group: VectorEnv, obs: Obs) -> np.ndarray:
    """A picture of the moment, uint8 `[H, W, C]`; a copy."""
    for key, space in group.obs_space.items():
        if space.image and not key.startswith("log/"):
            return obs[key].copy()
    return group.render(0)


if __name__ == "__main__":
    kind, name, length, *rest = sys.argv[1:]
    result = {"alone": alone, "policy": policy}[kind](name, float(length), *rest)
    print(json.dumps(result))
