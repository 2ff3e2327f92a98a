"""A recorded agent of the 2023 version, and our agent that goes with it.

Settings come from `configs/paper2023.yaml`, only the sizes from the recording; what
else the recording says of its settings must agree with the preset.
"""

from __future__ import annotations

import pathlib
import re
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from dreamerv3_tf import presets
from dreamerv3_tf.agent.agent import Agent
from dreamerv3_tf.agent.noise import FixedNoise
from dreamerv3_tf.run.build import build_agent
from dreamerv3_tf.run.device import Device
from dreamerv3_tf.spaces import Space
from dreamerv3_tf.structs import SIGNALS, Batch, Latent

from .ledger import Ledger
from .recorded import Recorded
from .recording import Recording

SIZES = {
    "deter": "rssm/deter",
    "hidden": "rssm/units",
    "stoch": "rssm/stoch",
    "classes": "rssm/classes",
    "depth": "encoder/cnn_depth",
    "units": "actor/units",
    "encoder.layers": "encoder/mlp_layers",
    "encoder.units": "encoder/mlp_units",
    "decoder.layers": "decoder/mlp_layers",
    "decoder.units": "decoder/mlp_units",
    "reward.layers": "reward_head/layers",
    "cont.layers": "cont_head/layers",
    "actor.layers": "actor/layers",
    "critic.layers": "critic/layers",
    "imag_length": "imag_horizon",
}
"""Sizes that the recordings have smaller than the paper, by our name."""

SAME = {
    "unimix": "rssm/unimix",
    "initial": "rssm/initial",
    "norm": "rssm/norm",
    "act": "rssm/act",
    "encoder.symlog": "encoder/symlog_inputs",
    "reward.outscale": "reward_head/outscale",
    "reward.bins": "reward_head/bins",
    "cont.outscale": "cont_head/outscale",
    "actor.outscale": "actor/outscale",
    "actor.unimix": "actor/unimix",
    "actor.min_std": "actor/minstd",
    "actor.max_std": "actor/maxstd",
    "critic.outscale": "critic/outscale",
    "critic.bins": "critic/bins",
    "horizon": "horizon",
    "lam": "return_lambda",
    "entropy": "actent",
    "free_nats": "dyn_loss/free",
    "slow_critic.rate": "slow_critic_fraction",
    "slow_critic.every": "slow_critic_update",
    "slow_critic.regularizer": "loss_scales/slowreg",
    "return_norm.limit": "retnorm/max",
    "return_norm.low": "retnorm/perclo",
    "return_norm.high": "retnorm/perchi",
    "scales.rec": "loss_scales/image",
    "scales.rew": "loss_scales/reward",
    "scales.con": "loss_scales/cont",
    "scales.dyn": "loss_scales/dyn",
    "scales.rep": "loss_scales/rep",
    "scales.policy": "loss_scales/actor",
    "scales.value": "loss_scales/critic",
    "optimizer.kind": "model_opt/opt",
    **{
        f"{ours}.{key}": f"{theirs}/{key}"
        for ours, theirs in (
            ("optimizer", "model_opt"),
            ("actor_optimizer", "actor_opt"),
            ("critic_optimizer", "critic_opt"),
        )
        for key in ("lr", "eps", "clip")
    },
}
"""Settings that must be those of the recording, by our name."""

RULES = [
    (r"agent/wm/enc/mlp/h(\d+)/", r"encoder/mlp/{}\1/"),
    (r"agent/wm/enc/cnn/s(\d+)res/kernel", r"encoder/conv\1/kernel"),
    (r"agent/wm/enc/cnn/s(\d+)res/", r"encoder/norm\1/"),
    (r"agent/wm/dec/mlp/h(\d+)/", r"decoder/mlp/{}\1/"),
    (r"agent/wm/dec/mlp/dist_(.+)/out/", r"decoder/vector_\1/"),
    (r"agent/wm/dec/cnn/in/", r"decoder/from_both/"),
    (r"agent/wm/rssm/gru/kernel", r"rssm/core/gates/kernel"),
    (r"agent/wm/rssm/gru/", r"rssm/core/gates_norm/"),
    (r"agent/wm/rssm/img_in/", r"rssm/core/hidden/{}0/"),
    (r"agent/wm/rssm/img_out/", r"rssm/prior/{}0/"),
    (r"agent/wm/rssm/img_stats/", r"rssm/prior_logit/"),
    (r"agent/wm/rssm/obs_out/", r"rssm/post/{}0/"),
    (r"agent/wm/rssm/obs_stats/", r"rssm/post_logit/"),
    (r"agent/wm/rssm/initial", r"rssm/start"),
    (r"agent/wm/rew/h(\d+)/", r"reward/mlp/{}\1/"),
    (r"agent/wm/rew/dist_out/out/", r"reward/out/"),
    (r"agent/wm/cont/h(\d+)/", r"cont/mlp/{}\1/"),
    (r"agent/wm/cont/dist_out/out/", r"cont/out/"),
    (r"agent/task_behavior/ac/actor/h(\d+)/", r"actor/mlp/{}\1/"),
    (r"agent/task_behavior/ac/actor/dist_out/std/", r"actor/action_stddev/"),
    (r"agent/task_behavior/critic/net/h(\d+)/", r"critic/mlp/{}\1/"),
    (r"agent/task_behavior/critic/net/dist_out/out/", r"critic/out/"),
    (r"agent/task_behavior/critic/slow/h(\d+)/", r"slow_critic/mlp/{}\1/"),
    (r"agent/task_behavior/critic/slow/dist_out/out/", r"slow_critic/out/"),
    (r"agent/task_behavior/ac/retnorm_extr/high/value", r"return_norm/hi"),
    (r"agent/task_behavior/ac/retnorm_extr/low/value", r"return_norm/lo"),
]
"""From the reference's names to ours; `{}` is `linear` or `norm`."""

COUNTER = "agent/task_behavior/critic/updates/value"


class Preprint(Recorded):
    """One recorded agent of 2023; see `Recorded`."""

    def __init__(self, path: pathlib.Path, config: dict, ledger: Ledger, xla: str):
        super().__init__(path, config, ledger, xla)
        entries = config["obs_space_in_order"].items()
        self.obs = {
            key: Space(np.dtype(entry["dtype"]), tuple(entry["shape"]))
            for key, entry in entries
        }
        entry = config["action_space"]
        shape = tuple(entry["shape"])
        choice = Space(np.dtype(np.int32), (), 0, shape[0])
        steady = Space(np.dtype(np.float32), shape, -1, 1)
        self.act = {"action": choice if entry["discrete"] else steady}

    def setting(self, path: str):
        """A setting of the recording, by its path."""
        found = self.config["config"]
        for name in path.split("/"):
            found = found[name]
        return found

    def sizes(self) -> list[str]:
        """Settings that make the preset as small as the recording."""
        sizes = [f"agent.{key}={self.setting(path)}" for key, path in SIZES.items()]
        images = [space for space in self.obs.values() if space.image]
        side = images[0].shape[0] if images else 16
        stages = int(np.log2(side // self.setting("encoder/minres")))
        mults = [2**i for i in range(stages)]
        return sizes + [f"agent.{x}.mults={mults}" for x in ("encoder", "decoder")]

    def settings(self, *more: str):
        """Our settings: the preset with the sizes of the recording, and `more`."""
        return presets.load("dummy_disc", ["paper2023"], [*self.sizes(), *more])

    def agent(self, mode: str, rates: dict | None = None, xla: str = "off") -> Agent:
        """The agent with the recorded parameters, without chance.

        Args:
            mode: continuous actions are the mean (`mean`), or lie a fixed number of
                standard deviations beside it (`eps`).
            rates: learning rates that differ from the recorded settings.
            xla: see `Agent`.
        """
        # Recorded sequences go on from the one before, and the slow critic from its
        # fifth update; a run of the preset does neither.
        more = ["replay.context=1", "agent.slow_critic.first=0.02"]
        for key, value in (rates or {}).items():
            name = key.replace("model_opt", "optimizer").replace("_opt.", "_optimizer.")
            more.append(f"agent.{name}={value}")
        config = self.settings(*more)
        device = Device("/CPU:0", "", False, "float32", xla)
        agent = build_agent(config, device, self.obs, self.act)
        self.load_params(agent)
        normal = self.config["eps_noise_vector"] if mode == "eps" else None
        agent.noise = FixedNoise(agent.model.rssm.stoch, self.act, normal)
        return agent

    def load_params(self, agent: Agent) -> None:
        """Copies the recorded parameters into an agent.

        Raises:
            ValueError: a parameter is missing, unknown or of another shape.
        """
        variables, given = (
            agent.variables(),
            dict(self.ours(self.load("params"), agent)),
        )
        wanted = {name for name in variables if not name.startswith("optimizer/")}
        if wanted != set(given):
            odd = sorted(wanted ^ set(given))
            raise ValueError(f"Parameters without counterpart: {', '.join(odd)}.")
        for name, value in given.items():
            if tuple(variables[name].shape) != value.shape:
                raise ValueError(f"Parameter '{name}' has shape {value.shape}.")
            variables[name].assign(value)

    def ours(self, data: Recording, agent: Agent) -> Iterator[tuple[str, np.ndarray]]:
        """Names and values in our layout of arrays that belong to parameters."""
        for name in data:
            if name != COUNTER:
                path = self.name(name)
                yield path, self.arranged(path, data[name], agent)

    def name(self, name: str) -> str:
        """Our name of one of the reference's parameters.

        Raises:
            ValueError: no rule fits.
        """
        if name.startswith("agent/wm/dec/cnn/s"):
            return self.decoder_name(name)
        if name.startswith("agent/task_behavior/ac/actor/dist_out/out/"):
            kind = "logits" if self.act["action"].discrete else "mean"
            return f"actor/action_{kind}/" + name.rsplit("/", 1)[1]
        for pattern, ours in RULES:
            if re.match(pattern, name):
                normed = "/norm/" in name
                path = re.sub(f"^{pattern}", ours, name)
                path = path.replace("{}", "norm" if normed else "linear")
                path = path.replace("/norm/", "/")
                return re.sub("bias$", "shift", path) if normed else path
        raise ValueError(f"No name is known for parameter '{name}'.")

    def decoder_name(self, name: str) -> str:
        """Our name of a parameter of the image decoder; our stages count backwards."""
        stages = len(self.settings().agent.decoder.mults)
        index = stages - 2 - int(name.split("/s")[1].split("res")[0])
        last = name.rsplit("/", 1)[1]
        if index < 0:
            return f"decoder/to_image/{last}"
        if last == "kernel":
            return f"decoder/conv{index}/kernel"
        return f"decoder/norm{index}/{last.replace('bias', 'shift')}"

    def arranged(self, path: str, value, agent: Agent) -> np.ndarray:
        """A parameter in our layout: rows in our order of inputs, kernels of transposed
        convolutions with inputs before outputs."""
        rssm = agent.model.rssm
        if path == "encoder/mlp/linear0/kernel":
            keys = list(agent.model.encoder.vectors)
            sizes = [self.obs[key].size for key in keys]
            parts = dict(zip(keys, np.split(value, np.cumsum(sizes)[:-1]), strict=True))
            return np.concatenate([parts[key] for key in sorted(parts)])
        if path in ("decoder/mlp/linear0/kernel", "decoder/from_both/kernel"):
            return np.concatenate([value[rssm.deter :], value[: rssm.deter]])
        if re.match(r"decoder/(conv\d+|to_image)/kernel", path):
            return np.swapaxes(value, 2, 3)
        return value

    def batch(self, name: str, before: np.ndarray) -> Batch:
        """A recorded batch behind one step of context with the action `before` it."""
        data = self.load(name)
        keys = [key for key in self.obs if key not in SIGNALS]

        def lead(x):
            return tf.constant(np.concatenate([np.zeros_like(x[:, :1]), x], 1))

        actions = np.concatenate([before[:, None], data["action"]], 1)
        rows, size = len(before), self.settings().agent
        stored = Latent(
            tf.zeros((rows, size.deter)), tf.zeros((rows, size.stoch), tf.uint8)
        )
        return Batch(
            {key: lead(data[key]) for key in keys},
            {"action": self.action(actions)},
            consec=tf.ones((rows,), tf.int32),  # goes on from the carry
            context=stored,
            **{key: lead(data[key]) for key in SIGNALS},
        )

    def action(self, value: np.ndarray):
        """Actions as our agent has them; a one-hot vector of zeros is none, -1."""
        if not self.act["action"].discrete:
            return tf.constant(value)
        index = np.where(value.any(-1), value.argmax(-1), -1)
        return tf.constant(index.astype(np.int32))

    def carry(self) -> tuple[Latent, np.ndarray]:
        """The recorded state before the first batch, and the action before it."""
        return latent_of(self.load("carry0")), self.load("carry0")["prev_action"]


def latent_of(data: Recording) -> Latent:
    """A recorded state."""
    return Latent(tf.constant(data["deter"]), tf.constant(data["stoch"]))
