"""Checks of train steps: losses, gradients, weights and optimizer state after them."""

from __future__ import annotations

import numpy as np

from dreamerv3_tf import interop
from dreamerv3_tf.agent.agent import Agent

from .folder import SEED, Folder, is_noise
from .ledger import COMPONENT, GRADIENT, IMAGINED, PIXELS, Ledger
from .objectives import check_each_loss, check_gradients, check_metrics
from .recording import Recording


def check_training(folder: Folder, data: Recording, ledger: Ledger) -> None:
    """Consecutive train steps, the carry passed on."""
    name = data.path.stem
    fast = name == "train_fast"
    mode = "eps" if fast else "mean"
    override = folder.config["fast_opt_override"] if fast else None
    agent = folder.agent(mode, override, folder.xla)
    tell_more(agent)
    carry, moved = folder.carry(), 0.0
    for step, batch in enumerate(folder.batches(), 1):
        if f"step{step}/lr" not in data:
            break
        part, book = data.part(f"step{step}"), ledger.at(f"step{step}")
        carry, entries, metrics = agent.train(carry, folder.batch(batch, agent), SEED)
        inside = take(metrics, "inside/")
        check_step(agent, carry, entries, (metrics, inside), part, mode, book)
        moved += float(part["lr"])
        for kind in ("params", "grads"):
            if not folder.has(f"{name}_{kind}"):
                continue
            recorded = folder.load(f"{name}_{kind}").part(f"step{step}")
            if not list(recorded):
                continue
            if kind == "params":
                check_params(agent, recorded, mode, moved, book.at(kind))
            else:
                gradients = take(inside, "grad/").values()
                check_gradients(agent, gradients, recorded, mode, book.at(kind))
    if folder.has(f"{name}_optstate"):
        recorded = folder.load(f"{name}_optstate")
        check_optimizer(agent, recorded, mode, ledger.at("optstate"))


def tell_more(agent: Agent) -> None:
    """Makes a train step return its gradients and losses among the metrics."""
    apply, step = agent.updater.apply, agent._step

    def apply_and_tell(gradients):
        pairs = zip(agent.updater.variables, gradients, strict=True)
        told = {f"inside/grad/{variable.path}": grad for variable, grad in pairs}
        return {**apply(gradients), **told}

    def step_and_tell(*args):
        outcome = step(*args)
        told = {f"inside/loss/{key}": loss for key, loss in outcome.losses.items()}
        return outcome._replace(metrics={**outcome.metrics, **told})

    vars(agent.updater)["apply"] = apply_and_tell
    vars(agent)["_step"] = step_and_tell


def take(metrics: dict, prefix: str) -> dict:
    """Takes the entries with a prefix out of the metrics, the prefix left out."""
    return {
        name.removeprefix(prefix): metrics.pop(name)
        for name in list(metrics)
        if name.startswith(prefix)
    }


def check_step(agent, carry, entries, told, data: Recording, mode: str, ledger: Ledger):
    """What a train step returns."""
    metrics, inside = told
    ledger.relative("lr", metrics["opt/lr"], data["lr"], COMPONENT)
    ledger.close("total_loss", metrics["opt/loss"], data["total_loss"], PIXELS)
    check_each_loss(take(inside, "loss/"), data.part("loss"), ledger)
    check_metrics(metrics, data.part("metric"), agent, mode, ledger)
    for key, value in carry._asdict().items():
        ledger.close(f"carry/{key}", value, data[f"carry_out/{key}"])
    update = data.part("replay_update/dyn")
    if list(update):
        ledger.close("entries/deter", entries["deter"], update["deter"])
        want = update["stoch"].argmax(-1)
        ledger.close("entries/stoch", entries["stoch"], want)


def check_params(agent, data: Recording, mode: str, moved: float, ledger: Ledger):
    """Every weight and average after a step.

    Args:
        moved: sum of the learning rates so far; where a gradient is rounding noise, a
            weight may have gone the other way all the time.
    """
    variables = agent.variables()
    for path, name in interop.reference_names(agent).items():
        if not is_noise(name, mode):
            stray = 2.5 * moved + COMPONENT
            ledger.mostly(name, variables[path], data[name], COMPONENT, stray)


def check_optimizer(agent: Agent, data: Recording, mode: str, ledger: Ledger) -> None:
    """Momentum, mean square and counters after the last step."""
    names, optimizer = interop.reference_names(agent), agent.updater.inner
    last = data.part(sorted({key.split("/")[0] for key in data})[-1])
    state = last.part("opt/state")
    for name in ("1/0", "2/0", "3/count"):
        ledger.close(name, optimizer.iterations, state[name], 0.0)
    ledger.close("step", optimizer.iterations, last["opt/step/value"], 0.0)
    for place, moments in {"1/1": optimizer.nu, "2/1": optimizer.mu}.items():
        for variable, moment in zip(agent.updater.variables, moments, strict=True):
            name = names[variable.path]
            if is_noise(name, mode):
                continue
            want = state[f"{place}/{name}"]
            scale = float(np.max(np.abs(want))) or 1.0
            got = np.asarray(moment) / scale
            tolerance = IMAGINED if place == "2/1" else 2 * GRADIENT
            ledger.mostly(f"{place}/{name}", got, want / scale, tolerance)
