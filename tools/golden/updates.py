"""Checks of returns, normalisers, the optimizer and fresh weights."""

from __future__ import annotations

import re

import keras
import numpy as np
import tensorflow as tf

from dreamerv3_tf import interop, presets
from dreamerv3_tf.agent.agent import Agent
from dreamerv3_tf.agent.optimizers import LaProp, Schedule
from dreamerv3_tf.agent.returns import Normalizer, lambda_return
from dreamerv3_tf.nn import inits
from dreamerv3_tf.run.build import build_agent
from dreamerv3_tf.run.device import Device
from dreamerv3_tf.spaces import Space

from .ledger import COMPONENT, Ledger
from .recording import Recording


def check_lambda_return(data: Recording, ledger: Ledger) -> None:
    for key in (key for key in data if key.endswith("/ret")):
        kind, lam, _ = key.split("/")
        part = {k: tf.cast(data[f"{kind}/{k}"], tf.float32) for k in ("last", "term")}
        live = (1 - part["term"]) * float(data[f"{kind}/disc"])
        reward, boot = (tf.constant(data[f"{kind}/{k}"]) for k in ("rew", "boot"))
        lam = float(lam.removeprefix("lam"))
        got = lambda_return(reward, live, boot, 1 - part["last"], lam)
        ledger.close(key, got, data[key])


NORMALIZERS: dict[str, dict] = {
    "perc_official_retnorm": {"kind": "perc"},
    "perc_fast_rate0.3": {"kind": "perc", "rate": 0.3},
    "perc_debias": {"kind": "perc", "debias": True},
    "meanstd_debias": {"kind": "meanstd", "debias": True, "limit": 1e-8},
    "none": {"kind": "none"},
}


def check_normalize(data: Recording, ledger: Ledger) -> None:
    """Averages, offset and scale after each update."""
    for share in (5, 95):
        for step, x in enumerate(data["x"]):
            exact, _ = Normalizer("perc", rate=1.0, low=share)(x)
            want = data[f"percentile{share}_of_each_x"][step]
            ledger.close(f"percentile{share}/{step + 1}", exact, want)
    for name, options in NORMALIZERS.items():
        corr = f"{name}/update1/state/corr"
        if corr in data:  # after one update it is the share of an update
            options = {**options, "rate": float(data[corr])}
        normalizer = Normalizer(**options)
        for step, x in enumerate(data["x"], 1):
            prefix = f"{name}/update{step}"
            offset, scale = normalizer(x)
            ledger.close(f"{prefix}/offset", offset, data[f"{prefix}/offset"])
            ledger.close(f"{prefix}/scale", scale, data[f"{prefix}/scale"])
            for weight in normalizer.weights:
                key = f"{prefix}/state/{weight.name}"
                ledger.close(key, weight, data[key])


def check_optimizer(data: Recording, ledger: Ledger) -> None:
    variants = sorted({k.split("/")[0] for k in data if "/step1/params/" in k})
    for name in variants:
        check_variant(name, data, ledger)
    for beta in (0.9, 0.999):
        want = data[f"bias_correction_denominator/beta{beta}"]
        steps = tf.range(1, len(want) + 1, dtype=tf.float32)
        ledger.close(f"correction/{beta}", 1 - tf.pow(beta, steps), want, 2e-5)
    check_stages(data, ledger)
    for name in data.part("schedule"):
        if name != "steps":
            check_schedule(name, data.part("schedule"), ledger)
    check_tiny(data.part("tiny_gradients"), ledger)


def check_variant(name: str, data: Recording, ledger: Ledger) -> None:
    """Weights after each update by an optimizer whose name tells its settings."""

    def option(pattern, default):
        found = re.search(pattern, name)
        return float(found[1]) if found else default

    optimizer = LaProp(
        Schedule(option(r"_lr([\d.e-]+)", 4e-5), int(option(r"warmup(\d+)", 0))),
        agc=0.0 if "noagc" in name else 0.3,
        nesterov="nesterov" in name,
        decay=option(r"_wd([\d.]+)", 0.0),
    )
    names = list(data.part("params0"))
    variables = make_variables(data, names)
    optimizer.build(variables)
    step = 1
    while f"{name}/step{step}/params/{names[0]}" in data:
        before = [np.asarray(variable) for variable in variables]
        gradients = [tf.constant(data[f"grads/step{step}/{n}"]) for n in names]
        optimizer.apply(gradients, variables)
        for key, variable, old in zip(names, variables, before, strict=True):
            place = f"{name}/step{step}/params/{key}"
            ledger.close(place, variable, data[place])
            place = f"{name}/step{step}/update/{key}"
            if place in data:
                ledger.close(place, np.asarray(variable) - old, data[place])
        step += 1


def make_variables(data: Recording, names: list[str]) -> list[keras.Variable]:
    """The recorded parameters; a name's end tells which are kernels."""
    return [
        keras.Variable(data[f"params0/{name}"], name=name.rsplit("/", 1)[1])
        for name in names
    ]


def check_stages(data: Recording, ledger: Ledger) -> None:
    """Clipping, normalisation and momentum, one after the other."""
    names = list(data.part("params0"))
    variables, optimizer = make_variables(data, names), LaProp()
    optimizer.build(variables)
    for step in range(1, 1 + len({x.split("/")[0] for x in data.part("stages")})):
        stage, count = data.part(f"stages/step{step}"), tf.constant(step, tf.float32)
        for index, (name, variable) in enumerate(zip(names, variables, strict=True)):
            raw = tf.constant(data[f"grads/step{step}/{name}"])
            (clipped,) = optimizer.clip_each([raw], [variable.value])
            factor = tf.norm(clipped) / tf.norm(raw) if np.any(raw) else 1.0
            normed = optimizer.normalize(clipped, optimizer.nu[index], count)
            smooth = optimizer.smooth(normed, optimizer.mu[index], count)
            values = {
                "after_agc": clipped,
                "agc_factor": factor,
                "after_rms": normed,
                "after_momentum": smooth,
                "nu": optimizer.nu[index],
                "mu": optimizer.mu[index],
            }
            for key, value in values.items():
                place = f"stages/step{step}/{key}/{name}"
                ledger.relative(place, value, stage[f"{key}/{name}"], COMPONENT)
            variable.assign(data[f"warmup0_lr1e-2/step{step}/params/{name}"])


def check_schedule(name: str, data: Recording, ledger: Ledger) -> None:
    """Learning rates at the recorded steps."""
    kind, warmup, *anneal = name.split("_")
    steps = int(anneal[0].removeprefix("anneal")) if anneal else 0
    want = data[name]
    rate = float(np.max(want))  # every schedule reaches it when the warm-up is over
    schedule = Schedule(rate, int(warmup.removeprefix("warmup")), kind, steps)
    got = [schedule(step) for step in data["steps"]]
    ledger.relative(f"schedule/{name}", got, want, COMPONENT)


def check_tiny(data: Recording, ledger: Ledger) -> None:
    """Updates of weights of 1 where the mean square leaves the range of float32."""
    gradient = data["grad"]
    variable = keras.Variable(np.ones_like(gradient))
    optimizer = LaProp(1.0)
    optimizer.build([variable])
    optimizer.apply([tf.constant(gradient)], [variable])
    want = data["update_lr1_param1"]
    got = np.asarray(variable, np.float64) - 1
    ledger.close("tiny_gradients", got, want)


def check_init_stats(data: Recording, ledger: Ledger) -> None:
    """The spread of fresh kernels; fan rules other than ours are left out."""
    keras.utils.set_random_seed(0)
    for name in sorted({key.split("/")[0] for key in data}):
        shape, std = tuple(data[f"{name}/shape"]), float(data[f"{name}/expected_std"])
        if data[f"{name}/fan_used"] != np.prod(shape[:-1]):
            continue
        kernel = np.asarray(inits.FanIn()(shape))
        ledger.close(f"{name}/mean", kernel.mean(), data[f"{name}/mean"], 0.02 * std)
        ledger.close(f"{name}/std", kernel.std() / std, data[f"{name}/std"] / std, 0.02)
        ledger.close(f"{name}/expected_std", kernel.std() / std, 1.0, 0.02)
        for key in ("absmax", "expected_absmax"):
            most = np.abs(kernel).max() / data[f"{name}/{key}"]
            ledger.close(f"{name}/{key}", most, 1.0, 0.01)
        want = data[f"{name}/quantiles_1_5_25_50_75_95_99"] / std
        got = np.quantile(kernel, [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99]) / std
        ledger.close(f"{name}/quantiles", got, want, 0.03)


def check_fresh_agent(data: Recording, ledger: Ledger) -> None:
    """Shape and spread of every weight of a fresh agent."""
    keras.utils.set_random_seed(0)
    agent = fresh_agent()
    variables, names = agent.variables(), interop.reference_names(agent)
    for path, name in names.items():
        part, value = data.part(name), np.asarray(variables[path])
        if "shape" not in part:  # the recording leaves out averages
            continue
        ledger.close(f"{name}/shape", value.shape, part["shape"])
        # Standard errors of both samples' mean and spread, five of them.
        std, slack = float(part["std"]), 5 * np.sqrt(2 / value.size)
        ledger.close(f"{name}/mean", value.mean(), part["mean"], slack * std)
        ledger.close(f"{name}/std", value.std(), std, slack * std)
        most = float(part["absmax"])
        ledger.close(f"{name}/absmax", np.abs(value).max(), most, slack * most)


def fresh_agent() -> Agent:
    """An agent like the one whose fresh weights were recorded."""
    sizes = "deter=512 hidden=128 units=128 depth=16 stoch=16 classes=16 blocks=8"
    config = presets.load(
        "dummy_disc", overrides=[f"agent.{size}" for size in sizes.split()]
    )
    number, whole = np.dtype(np.float32), np.dtype(np.int32)
    inputs = {
        "vec": Space(number, (6,)),
        "image": Space(np.dtype(np.uint8), (64, 64, 3)),
        "mode": Space(whole, (), 0, 5),
        "cells": Space(whole, (2,), 0, 4),
        "speed": Space(number, ()),
    }
    actions = {"turn": Space(number, (2,), -1, 1), "move": Space(whole, (), 0, 4)}
    device = Device("/CPU:0", "", False, "float32", "off")
    return build_agent(config, device, inputs, actions)


CHECKS = {
    "lambda_return": check_lambda_return,
    "normalize": check_normalize,
    "optimizer": check_optimizer,
    "init_stats": check_init_stats,
    "init_agent_stats": check_fresh_agent,
}
"""What to do with a file, by its name without suffix."""
