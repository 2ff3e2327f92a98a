"""Checks of train steps of the 2023 version, inside and out."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from dreamerv3_tf.agent.agent import Agent
from dreamerv3_tf.nn import dists, functions
from dreamerv3_tf.nn.heads import sum_event

from .folder import SEED
from .ledger import COMPONENT, GRADIENT, IMAGINED, PIXELS, Ledger
from .preprint import COUNTER, Preprint
from .recording import Recording
from .training import take

LOSSES = {"rew": "reward", "con": "cont"}
"""Our names of losses by the reference's, where they differ."""

OPTIMIZERS = {
    "opt/": "model_opt",
    "opt/actor/": "actor_opt",
    "opt/critic/": "extr_critic_critic_opt",
}
"""The reference's names of the metrics of the optimizers."""

MOMENTS = {
    "": "agent/wm/model_opt",
    "actor": "agent/task_behavior/ac/actor_opt",
    "critic": "agent/task_behavior/critic/critic_opt",
}
"""The reference's names of the states of the optimizers."""


def check_training(folder: Preprint, data: Recording, ledger: Ledger) -> None:
    """Consecutive train steps, state and last action passed on."""
    name = data.path.stem
    fast = name == "train_fast"
    mode = "eps" if fast else "mean"
    rates = folder.config["fast_override"] if fast else {}
    agent = folder.agent(mode, rates, folder.xla)
    tell_more(agent)
    carry, before = folder.carry()
    for step in (1, 2, 3):
        batch, recorded = f"batch{step - 1}", data.part(f"step{step}")
        inputs = folder.batch(batch, before)
        carry, _, metrics = agent.train(carry, inputs, SEED)
        inside = take(metrics, "inside/")
        book = ledger.at(f"step{step}")
        before = folder.load(batch)["action"][:, -1]
        check_carry(carry, before, recorded.part("carry_out"), book)
        check_world(agent, inside, recorded.part("wm"), book)
        check_behavior(agent, inside, recorded, book)
        check_metrics(agent, metrics, inside, recorded.part("metric"), book)
        for kind, check in (("grads", check_gradients), ("params", check_params)):
            if folder.has(f"{name}_{kind}"):
                part = folder.load(f"{name}_{kind}").part(f"step{step}")
                if list(part):
                    check(folder, agent, inside, part, book.at(kind))
    if folder.has(f"{name}_optstate"):
        check_moments(folder, agent, folder.load(f"{name}_optstate"), ledger)


def tell_more(agent: Agent) -> None:
    """Makes a train step return among its metrics what it computed on the way."""
    objective, step = agent.objective, agent._step
    learn, behave = agent.model.learn, objective.behave

    def learn_and_tell(*args):
        seen, losses, metrics = learn(*args)
        prior = agent.model.rssm.prior(seen.latent.deter)
        told = {"post": seen.logit, "prior": prior, **seen.latent._asdict()}
        told = {f"inside/{key}": value for key, value in told.items()}
        return seen, losses, {**metrics, **told}

    def behave_and_tell(*args, **kwargs):
        behaved, losses = behave(*args, **kwargs)
        imagined, learned = behaved.imagined, behaved.learned
        feat = tf.stop_gradient(functions.features(imagined.latent))
        dist = agent.behavior.actor(feat)["action"]
        told = {
            **{f"traj/{key}": x for key, x in imagined.latent._asdict().items()},
            "traj/action": imagined.action["action"],
            **{key: tf.transpose(x) for key, x in behaved.judged._asdict().items()},
            "ret": tf.transpose(learned.ret),
            "policy": tf.transpose(learned.losses["policy"]),
            **policy_of(agent, dist, imagined.action["action"]),
        }
        told = {f"inside/{key}": tf.stop_gradient(x) for key, x in told.items()}
        learned.metrics.update(told)
        return behaved, losses

    def step_and_tell(*args):
        outcome = step(*args)
        told = {f"inside/loss/{key}": loss for key, loss in outcome.losses.items()}
        return outcome._replace(metrics={**outcome.metrics, **told})

    vars(agent.model)["learn"] = learn_and_tell
    vars(objective)["behave"] = behave_and_tell
    vars(agent)["_step"] = step_and_tell
    for updater in (agent.updater, *agent.turns.values()):
        vars(updater)["apply"] = telling_apply(updater)


def telling_apply(updater):
    """`apply` of an updater that returns the gradients among the metrics."""
    apply = updater.apply

    def apply_and_tell(gradients):
        pairs = zip(updater.variables, gradients, strict=True)
        told = {f"inside/grad/{variable.path}": grad for variable, grad in pairs}
        return {**apply(gradients), **told}

    return apply_and_tell


def policy_of(agent: Agent, dist, action) -> dict[str, Any]:
    """The policy along imagined states, and what it says of its actions."""
    space = agent.act_space["action"]
    values = {
        "entropy": sum_event(dist.entropy(), space),
        "logpi": sum_event(dist.log_prob(action), space),
    }
    if space.discrete:
        return {**values, "policy_logits": dist.logits_parameter()}
    return {**values, "policy_mean": dist.loc, "policy_std": dist.scale}


def check_carry(carry, before, data: Recording, ledger: Ledger) -> None:
    """What goes on to the next step."""
    for key, value in carry._asdict().items():
        ledger.close(f"carry/{key}", value, data[key])
    ledger.close("carry/prev_action", before, data["prev_action"])


def check_world(agent: Agent, inside: dict, data: Recording, ledger: Ledger) -> None:
    """Losses of the world model, and the states that they speak of."""
    for key in (name for name in data if name.endswith("_loss")):
        ours = key.removesuffix("_loss")
        ours = next((k for k, x in LOSSES.items() if x == ours), ours)
        ledger.close(key, inside[f"loss/{ours}"], data[key])
    if "post/deter" not in data:
        return
    rssm = agent.model.rssm
    for kind in ("post", "prior"):
        ledger.close(f"{kind}/deter", inside["deter"], data[f"{kind}/deter"])
    ledger.close("post/stoch", inside["stoch"], data["post/stoch"])
    stoch = rssm.pick(inside["prior"], None)
    ledger.close("prior/stoch", stoch, data["prior/stoch"])
    for kind in ("post", "prior"):
        logit = dists.mixed_logits(inside[kind], rssm.unimix)
        ledger.close(f"{kind}/logit", logit, data[f"{kind}/logit"])


def check_behavior(agent: Agent, inside: dict, data: Recording, ledger: Ledger) -> None:
    """Imagined states, predictions and returns; time first, as in the recording."""
    discount, cont = agent.behavior.discount, inside["cont"]
    weight = tf.math.cumprod(cont * discount, 0) / discount
    scale = agent.behavior.return_norm.stats()[1]
    steps = len(inside["ret"])
    value, ret = inside["value"][:steps], inside["ret"]
    action = inside["traj/action"]
    if agent.act_space["action"].discrete:
        action = tf.one_hot(action, max(agent.act_space["action"].classes))
    values = {
        **{f"traj/{key}": inside[f"traj/{key}"] for key in ("deter", "stoch")},
        "traj/action": action,
        "traj/cont": cont,
        "traj/weight": weight,
        "actor/base": value,
        "actor/ret": ret,
        "actor/rew": inside["reward"][1:],
        "actor/adv_derived": (ret - value) / scale,
        "actor/retnorm_invscale": scale,
        "actor/retnorm_offset": agent.behavior.return_norm.stats()[0],
        "critic/slow_mean": inside["slow"][:steps],
        "critic/target": ret,
        "critic/val_mean": value,
        "critic/weight": weight[:steps],
        **{f"actor/{key}": inside[key] for key in inside if key in POLICY},
    }
    for key, value in values.items():
        if key in data:
            ledger.close(key, value, data[key], IMAGINED)


POLICY = ("entropy", "logpi", "policy_logits", "policy_mean", "policy_std")


def check_metrics(agent, metrics: dict, inside: dict, data: Recording, ledger: Ledger):
    """Metrics of the reference that have a counterpart here."""
    rssm = agent.model.rssm
    low, high = agent.behavior.actor.entropy_bounds("action")
    offset, scale = agent.behavior.return_norm.stats()
    steps = len(inside["ret"])
    entropy = inside["entropy"][:steps]
    normed = (inside["ret"] - offset) / scale
    tensors = {
        "extr_return_raw": inside["ret"],
        "extr_return_normed": normed,
        "extr_reward": inside["reward"][1:],
        "adv": (inside["ret"] - inside["value"][:steps]) / scale,
        "policy_entropy": entropy,
        "policy_randomness": (entropy - low) / (high - low),
        "policy_logprob": inside["logpi"][:steps],
        "action": tf.cast(inside["traj/action"], tf.float32),
        "post_ent": rssm.dist(inside["post"]).entropy(),
        "prior_ent": rssm.dist(inside["prior"]).entropy(),
    }
    ours = {}
    for key, x in tensors.items():
        ours |= {f"{key}_{name}": value for name, value in stats(x).items()}
    ours["extr_return_rate"] = tf.reduce_mean(
        tf.cast(tf.abs(inside["ret"]) >= 0.5, tf.float32)
    )
    for key in (name for name in metrics if name.startswith("loss/")):
        name = key.removeprefix("loss/")
        ours[f"{LOSSES.get(name, name)}_loss_mean"] = metrics[key]
        if key in inside:
            spread = tf.math.reduce_std(inside[key])
            ours[f"{LOSSES.get(name, name)}_loss_std"] = spread
    ours["model_loss_mean"] = metrics["opt/loss"]
    summed = agent.model.decoder.images
    for prefix, theirs in OPTIMIZERS.items():
        ours[f"{theirs}_loss"] = metrics[f"{prefix}loss"]
        ours[f"{theirs}_grad_norm"] = metrics[f"{prefix}grad_norm"]
        ours[f"{theirs}_grad_steps"] = metrics[f"{prefix}updates"]
    for key, value in ours.items():
        if key in data:
            pixels = key.startswith("model_") or key[:-10] in summed
            ledger.close(
                f"metric/{key}", value, data[key], PIXELS if pixels else IMAGINED
            )


def stats(x) -> dict[str, Any]:
    """Moments and bounds, as the reference logs them."""
    return {
        "mean": tf.reduce_mean(x),
        "std": tf.math.reduce_std(x),
        "mag": tf.reduce_max(tf.abs(x)),
        "min": tf.reduce_min(x),
        "max": tf.reduce_max(x),
    }


def check_gradients(folder, agent, inside, data: Recording, ledger: Ledger):
    """The gradient of every parameter."""
    given, found = dict(folder.ours(data, agent)), take(inside, "grad/")
    if set(given) != set(found):
        ledger.fail(f"gradients without counterpart: {sorted(set(given) ^ set(found))}")
    for path in set(given) & set(found):
        ledger.relative(path, found[path], given[path])


def check_params(folder, agent, inside, data: Recording, ledger: Ledger):
    """Every weight and average after a step."""
    del inside
    variables, stray = agent.variables(), 2.5 * 3e-2 + COMPONENT
    for path, want in folder.ours(data, agent):
        ledger.mostly(path, variables[path], want, COMPONENT, stray)
    if COUNTER in data:
        ledger.close(
            "critic/updates",
            agent.turns["critic"].inner.iterations,
            data[COUNTER] - 5,
            0.0,
        )


def check_moments(folder, agent: Agent, data: Recording, ledger: Ledger):
    """Both moments and the counters of the three optimizers after the last step."""
    ledger = ledger.at("optstate")
    last = data.part(sorted({key.split("/")[0] for key in data})[-1])
    for part, place in MOMENTS.items():
        updater = agent.turns[part] if part else agent.updater
        optimizer, state = updater.inner, last.part(place)
        for name in ("state/count", "step/value"):
            ledger.close(f"{place}/{name}", optimizer.iterations, state[name], 0.0)
        for kind, moments in {"mu": optimizer.mu, "nu": optimizer.nu}.items():
            want = dict(folder.ours(state.part(f"state/{kind}"), agent))
            for variable, moment in zip(updater.variables, moments, strict=True):
                scale = float(np.max(np.abs(want[variable.path]))) or 1.0
                got, goal = np.asarray(moment) / scale, want[variable.path] / scale
                limit = IMAGINED if kind == "mu" else 2 * GRADIENT
                ledger.mostly(f"{part}/{kind}/{variable.path}", got, goal, limit)
