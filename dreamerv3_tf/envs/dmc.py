"""DeepMind Control Suite (Tassa et al. 2018): joint states, pictures, or both.

A task is `dmc_DOMAIN_TASK`, such as `dmc_cartpole_balance`; `cup` is short for
`ball_in_cup`. Episodes last 1000 control steps and end by the time limit, so they are
never terminal (a few tasks end early: `is_terminal` is discount 0). `TASKS` are those
of the published results; any other task of the suite runs as well.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from dreamerv3_tf import values
from dreamerv3_tf.envs import gl, raytracing
from dreamerv3_tf.envs.base import (
    Action,
    Env,
    EnvError,
    Obs,
    require,
    signal_spaces,
    signals,
)
from dreamerv3_tf.spaces import Space
from dreamerv3_tf.values import Count

INSTALL = "dm_control 'mujoco>=3.17,<4'"

TASKS = (
    "acrobot_swingup", "ball_in_cup_catch", "cartpole_balance",
    "cartpole_balance_sparse", "cartpole_swingup", "cartpole_swingup_sparse",
    "cheetah_run", "finger_spin", "finger_turn_easy", "finger_turn_hard", "hopper_hop",
    "hopper_stand", "pendulum_swingup", "reacher_easy", "reacher_hard", "walker_run",
    "walker_stand", "walker_walk",
)  # fmt: skip
"""The 18 tasks of the published results, as the published scores spell them."""

CAMERAS = {"quadruped": 2}
"""Cameras of the published results; the other domains use camera 0."""

Renderer = Literal["auto", "egl", "osmesa", "warp"]

LOADING = threading.Lock()
"""Held while a task is loaded: MuJoCo keeps the text of the last model for rays."""


def make(
    name: str,
    *,
    seed: int,
    index: int = 0,
    repeat: Count = 1,
    size: tuple[Count, Count] = (64, 64),
    camera: int = -1,
    image: bool = False,
    proprio: bool = True,
    renderer: Renderer = "auto",
) -> Env:
    """One task of the suite.

    Args:
        name: `DOMAIN_TASK`.
        seed: of the initial states.
        index: not used.
        repeat: control steps for each action; rewards are summed.
        size: height and width of the pictures, pixels.
        camera: number of the camera; -1 takes the one of the published results.
        image: show a picture, key `image`. Without it nothing is ever rendered, except
            on demand by `render`.
        proprio: show joint positions, velocities and what else the task offers.
        renderer: OpenGL by `egl` or `osmesa`; `auto` is the environment variable
            `MUJOCO_GL`, or what is installed. `warp` needs no OpenGL, and its pictures
            are others, see `raytracing.py`.

    Raises:
        EnvError: unknown task, nothing to see, or no renderer for the pictures.
    """
    del index
    if not image and not proprio:
        raise EnvError(
            "env.image and env.proprio are both off; the agent sees nothing."
        )
    opengl = "auto" if renderer == "warp" else renderer
    painter = None
    with LOADING, gl.renderer(image and renderer != "warp", opengl), quiet():
        suite = require("dm_control.suite", INSTALL)
        domain, task = find_task(name, suite.ALL_TASKS)
        if camera == -1:
            camera = CAMERAS.get(domain, 0)
        env = suite.load(domain, task, task_kwargs={"random": seed})
        if renderer == "warp":
            painter = raytracing.Painter(env.physics.model.ptr, size, camera)
    return ControlSuite(env, repeat, size, camera, image, proprio, painter)


def facts(settings: Mapping[str, Any]) -> dict[str, str]:
    """What must stand beside every score; see `hooks.env_facts`."""
    if settings.get("renderer") == "warp":
        return {"renderer": "mujoco-warp, not the OpenGL of the published scores"}
    return {}


def find_task(name: str, known: list[tuple[str, str]]) -> tuple[str, str]:
    """Domain and task of a name; both may contain underscores.

    Raises:
        EnvError: no such task.
    """
    full = "ball_in_" + name if name.startswith("cup_") else name
    tasks = {f"{domain}_{task}": (domain, task) for domain, task in known}
    if full not in tasks:
        raise EnvError(
            f"Task 'dmc_{name}': the suite has no '{name}'."
            f"{values.nearest(full, tasks)} Tasks: {', '.join(sorted(tasks))}."
        )
    return tasks[full]


@contextlib.contextmanager
def quiet():
    """Holds back what dm_control and MuJoCo log while they load."""
    logging = require("absl.logging", "absl-py")
    before = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)
    try:
        yield
    finally:
        logging.set_verbosity(before)


class ControlSuite:
    """Environment of dm_control as one of ours; other arguments as in `make`.

    Args:
        painter: draws the pictures where OpenGL doesn't.
    """

    def __init__(
        self,
        env: Any,
        repeat: int,
        size: tuple[int, int],
        camera: int,
        image: bool,
        proprio: bool,
        painter: raytracing.Painter | None,
    ):
        self.env, self.painter = env, painter
        self.repeat, self.size, self.camera = repeat, size, camera
        self.image = image
        self.names: dict[str, str] = {}
        self.obs_space = signal_spaces()
        if image:
            self.obs_space["image"] = Space(np.dtype(np.uint8), (*size, 3))
        for key, spec in env.observation_spec().items() if proprio else ():
            if np.prod(spec.shape) == 0:
                continue
            name = "obs_reward" if key == "reward" else key.replace("/", "_")
            self.names[name] = key
            self.obs_space[name] = Space(np.dtype(np.float32), spec.shape)
        spec = env.action_spec()
        self.act_space = {
            "action": Space(spec.dtype, spec.shape, spec.minimum, spec.maximum)
        }

    def reset(self) -> Obs:
        return self._observe(self.env.reset(), 0.0)

    def step(self, action: Action) -> Obs:
        time_step = self.env.step(action["action"])
        reward = time_step.reward
        for _ in range(self.repeat - 1):
            if time_step.last():
                break
            time_step = self.env.step(action["action"])
            reward += time_step.reward
        return self._observe(time_step, reward)

    def render(self) -> np.ndarray:
        physics = self.env.physics
        if self.painter:
            return self.painter.draw(physics.model, physics.data)
        try:
            return physics.render(*self.size, camera_id=self.camera)
        except RuntimeError as error:
            raise EnvError(
                f"MuJoCo can't render here: {error} Environments render in processes "
                "of their own (run.parallel=process) where EGL is installed ('apt "
                "install libegl1 libgl1')."
            ) from error

    def close(self) -> None:
        self.env.close()

    def _observe(self, time_step: Any, reward: float) -> Obs:
        last = time_step.last()
        obs = signals(
            reward,
            first=time_step.first(),
            last=last,
            terminal=last and time_step.discount == 0,
        )
        if self.image:
            obs["image"] = self.render()
        for name, key in self.names.items():
            # A copy: some of them are windows into the simulation.
            obs[name] = np.array(time_step.observation[key], np.float32)
        return obs
