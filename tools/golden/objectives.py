"""Checks of the losses of a batch, of what they were made of, and their gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from dreamerv3_tf import interop
from dreamerv3_tf.agent.agent import Agent
from dreamerv3_tf.agent.objective import Behaved
from dreamerv3_tf.nn import functions
from dreamerv3_tf.nn.heads import sum_event
from dreamerv3_tf.structs import Latent

from .folder import SEED, Folder, is_noise, swap
from .ledger import COMPONENT, IMAGINED, PIXELS, Ledger
from .recording import Recording

BEHIND = ("policy", "value", "repval")  # losses behind imagined steps


def check_losses(folder: Folder, data: Recording, ledger: Ledger, mode: str) -> None:
    """All losses of a batch, what they were made of, and their gradients."""
    agent = folder.agent(mode)
    carry, seq = folder.start(agent)
    objective, seen, behaved = agent.objective, [], []
    listen(agent.model, "learn", seen)
    listen(objective, "behave", behaved)
    noise = agent._noise_for(seq, SEED)
    with tf.GradientTape() as tape:
        outcome = objective.losses(carry, seq, noise, training=True)
        total = objective.total(outcome.losses)
    ledger.close("total_loss", total, data["total_loss"], PIXELS)
    check_each_loss(outcome.losses, data.part("loss"), ledger)
    check_metrics(outcome.metrics, data.part("metric"), agent, mode, ledger)
    scales = {**dict.fromkeys(agent.model.inputs, objective.scales["rec"])}
    scales.update(objective.scales)
    for key in data.part("scale"):
        ledger.close(f"scale/{key}", scales[key], data[f"scale/{key}"])
    for key in Latent._fields:
        ledger.close(
            f"carry/{key}", getattr(outcome.last, key), data[f"carry_out/{key}"]
        )
        value = getattr(outcome.latent, key)
        ledger.close(f"repfeat/{key}", value, data[f"repfeat/{key}"])
    ledger.close("repfeat/logit", seen[0][0].logit, data["repfeat/logit"])
    check_state(agent, data.part("state_after"), ledger)
    check_imagined(agent, behaved[0][0], data, ledger)
    check_replay_critic(agent, outcome, behaved[0][0], seq, data.part("repl"), ledger)
    if folder.has(f"grads_{mode}"):
        variables = agent.updater.variables
        gradients = tape.gradient(total, [v.value for v in variables])
        recorded, book = folder.load(f"grads_{mode}"), folder.ledger.at(f"grads_{mode}")
        check_gradients(agent, gradients, recorded, mode, book)


def listen(owner: Any, name: str, heard: list) -> None:
    """Keeps what the owner's method returns."""
    method = getattr(owner, name)

    def listening(*args, **kwargs):
        result = method(*args, **kwargs)
        heard.append(result)
        return result

    setattr(owner, name, listening)


def check_each_loss(losses: dict, data: Recording, ledger: Ledger) -> None:
    """Losses element by element; the recorded ones must be there, and no others."""
    extra, missing = set(losses) - set(data), set(data) - set(losses)
    if extra or missing:
        ledger.fail(f"losses missing: {sorted(missing)}, too many: {sorted(extra)}")
    for key in set(losses) & set(data):
        tolerance = IMAGINED if key in BEHIND else COMPONENT
        ledger.close(f"loss/{key}", losses[key], data[key], tolerance)


def check_metrics(metrics, data: Recording, agent: Agent, mode: str, ledger: Ledger):
    """Every recorded metric has a value here, and the same one."""
    ours = {}
    for name, value in metrics.items():
        part, _, rest = name.partition("/")
        ours[rest if part in ("behavior", "world") else name] = value
    for name in data:
        label, want = f"metric/{name}", data[name]
        if name not in ours:
            ledger.fail(f"{label} is not among our metrics")
            continue
        summed = name.removeprefix("loss/") in agent.model.decoder.images
        tolerance = PIXELS if summed or name == "opt/loss" else IMAGINED
        if name == "opt/update_rms":
            # Elements whose gradient is rounding noise move by the learning rate all
            # the same; those of is_noise are more than the stray ones.
            noisy = mode == "mean" and any(
                not space.discrete for space in agent.act_space.values()
            )
            ledger.relative(label, ours[name], want, 3e-2 if noisy else 2e-3)
        elif name.startswith("opt/"):
            ledger.relative(label, ours[name], want, tolerance)
        else:
            ledger.close(label, ours[name], want, tolerance)


def check_state(agent: Agent, data: Recording, ledger: Ledger) -> None:
    """Averages of the normalisers."""
    variables = agent.variables()
    names = {name: path for path, name in interop.reference_names(agent).items()}
    for name in data:
        value = variables[names[name]]
        ledger.close(f"state_after/{name}", value, data[name], IMAGINED)


def check_imagined(agent: Agent, behaved: Behaved, data: Recording, ledger: Ledger):
    """Imagined states, actions, predictions, returns and losses."""
    imagined, judged, learned = behaved.imagined, behaved.judged, behaved.learned
    states = {key: swap(getattr(imagined.latent, key))[:, 1:] for key in Latent._fields}
    states["logit"] = agent.model.rssm.prior(states["deter"])
    offset, scale = agent.behavior.return_norm.stats()
    ret = learned.ret
    values = {
        **{f"imagine/feat/{key}": value for key, value in states.items()},
        **{f"imag/in/act/{k}": swap(x) for k, x in imagined.action.items()},
        **policy_values(agent, imagined),
        "imag/in/rew": judged.reward,
        "imag/in/con": judged.cont,
        "imag/in/val_pred": judged.value,
        "imag/in/slowval_pred": judged.slow,
        "imag/out/ret": ret,
        "imag/out/loss_policy": learned.losses["policy"],
        "imag/out/loss_value": learned.losses["value"],
        "imag/out/retnorm_offset_after": offset,
        "imag/out/retnorm_scale_after": scale,
        # These two were computed by the recorder, after this very formula.
        "imag/out/adv_derived": (ret - judged.value[:, :-1]) / scale,
        "imag/out/weight_derived": tf.math.cumprod(judged.cont, 1),
    }
    for name, value in values.items():
        if name in data:
            ledger.close(name, value, data[name], IMAGINED)
    for name in data.names("imag(ine)?/"):
        if name not in values:
            ledger.fail(f"{name} is nothing that we compute")


def policy_values(agent: Agent, imagined) -> dict:
    """The policy in imagined states, and what it says of the actions taken there."""
    values = {}
    policy = agent.behavior.actor(swap(functions.features(imagined.latent)))
    for key, dist in policy.items():
        space = agent.act_space[key]
        logp = sum_event(dist.log_prob(swap(imagined.action[key])), space)
        values[f"imag/out/policy_logp/{key}"] = logp
        values[f"imag/out/policy_ent/{key}"] = sum_event(dist.entropy(), space)
        place = f"imag/in/policy/{key}"
        if space.discrete:
            values[f"{place}/logits"] = dist.logits
        else:
            values.update({f"{place}/mean": dist.loc, f"{place}/stddev": dist.scale})
    return values


def check_replay_critic(agent, outcome, behaved, seq, data: Recording, ledger: Ledger):
    """Inputs and returns of the critic's loss on replayed states."""
    if not list(data) or "repval" not in outcome.losses:
        return
    rows, steps = seq.reward.shape
    count = agent.objective.starts(steps)
    feat = functions.features(outcome.latent)[:, steps - count :]
    values = {
        "in/boot": tf.reshape(behaved.learned.ret[:, 0], (rows, count)),
        "in/last": seq.is_last[:, steps - count :],
        "in/term": seq.is_terminal[:, steps - count :],
        "in/rew": seq.reward[:, steps - count :],
        "in/val_pred": agent.behavior.critic(feat).mean(),
        "in/slowval_pred": agent.behavior.slow(feat).mean(),
        "out/loss_repval": outcome.losses["repval"],
        "out/ret": behaved.replay_ret,
    }
    for name in data:
        ledger.close(f"repl/{name}", values[name], data[name], IMAGINED)


def check_gradients(agent, gradients, data: Recording, mode: str, ledger: Ledger):
    """The gradient of every parameter."""
    names = interop.reference_names(agent)
    for variable, gradient in zip(agent.updater.variables, gradients, strict=True):
        name = names[variable.path]
        if not is_noise(name, mode):
            ledger.relative(name, gradient, data[name])
    if "global_norm" in data:
        squares = [
            np.sum(np.square(gradient, dtype=np.float64)) for gradient in gradients
        ]
        norm = np.sqrt(np.sum(squares))
        ledger.relative("global_norm", norm, data["global_norm"])
