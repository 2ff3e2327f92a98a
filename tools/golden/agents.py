"""Checks of a whole agent: what it does with recorded inputs."""

from __future__ import annotations

import functools
import pathlib

import numpy as np
import tensorflow as tf

from dreamerv3_tf.agent.report import openloop
from dreamerv3_tf.structs import SIGNALS, Latent, PolicyCarry

from .components import check_components
from .folder import SEED, Folder
from .ledger import Ledger
from .objectives import check_losses
from .recording import Recording
from .training import check_training


def check(path: pathlib.Path, config: dict, ledger: Ledger, xla: str) -> None:
    """Runs every check for which the folder has files."""
    folder = Folder(path, config, ledger, xla)
    checks = {
        "batch0_after_context": check_context,
        "components": check_components,
        "policy": check_policy,
        "report": check_report,
        "loss_mean": functools.partial(check_losses, mode="mean"),
        "loss_eps": functools.partial(check_losses, mode="eps"),
        "train_official": check_training,
        "train_fast": check_training,
    }
    for name, run in checks.items():
        if folder.has(name):
            place = ledger.at(name)
            with place.guard():
                run(folder, folder.load(name), place)


def check_context(folder: Folder, data: Recording, ledger: Ledger) -> None:
    """Where sequences start after the replay context, and what remains of them."""
    agent = folder.agent("mean")
    carry, seq = folder.start(agent)
    ledger.close("deter", carry.deter, data["carry/deter"])
    ledger.close("stoch", carry.stoch, data["carry/stoch"])
    action = {key: tf.constant(data[f"prevact/{key}"]) for key in agent.act_space}
    ledger.close("prevact", seq.prevact, agent.model.encode_action(action))
    for key in SIGNALS:
        ledger.close(key, getattr(seq, key), data[f"obs/{key}"])
    for key, value in seq.obs.items():
        if f"obs/{key}" in data:
            ledger.close(key, value, data[f"obs/{key}"])


def check_policy(folder: Folder, data: Recording, ledger: Ledger) -> None:
    """Policy steps from recorded carries."""
    agent = folder.agent("mean", xla=folder.xla)
    for step in sorted({name.split("/")[0] for name in data}):
        part, book = data.part(step), ledger.at(step)
        before = part.part("carry_in")
        actions = {
            key: tf.constant(before[f"prevact/{key}"]) for key in agent.act_space
        }
        latent = Latent(*(tf.constant(before[key]) for key in Latent._fields))
        keys = [*agent.model.inputs, "is_first"]
        obs = {key: tf.constant(part[f"obs/{key}"]) for key in keys}
        carry = PolicyCarry(latent, actions)
        action, entries, carry = agent.policy(carry, obs, SEED)
        after = part.part("carry_out")
        for key, value in action.items():
            book.close(f"action/{key}", value, part[f"action/{key}"])
            book.close(f"carry/{key}", carry.action[key], after[f"prevact/{key}"])
        for key, value in carry.latent._asdict().items():
            book.close(f"carry/{key}", value, after[key])
        check_entries(entries, part.part("out"), book)


def check_entries(entries: dict, data: Recording, ledger: Ledger) -> None:
    """Latents as replay stores them, where the recording has them."""
    if "dyn/deter" in data:
        ledger.close("entries/deter", entries["deter"], data["dyn/deter"])
        want = data["dyn/stoch"].argmax(-1)
        ledger.close("entries/stoch", entries["stoch"], want)


def check_report(folder: Folder, data: Recording, ledger: Ledger) -> None:
    """Open-loop prediction: numbers, pixels, and the video as a whole."""
    agent = folder.agent("mean")
    carry, seq = folder.start(agent)
    for key, pred in openloop(agent.model, carry, seq, None).items():
        rows = f"{key}/pred_float_row0"
        if rows in data:
            ledger.close(rows, pred[:1], data[rows])
        pixels = np.clip(np.asarray(pred) * 255, 0, 255).astype(np.uint8)
        ledger.share(f"{key}/pred_uint8", pixels, data[f"{key}/pred_uint8"])
    batch = folder.batch("batch0", agent)
    _, videos = agent.report(folder.carry(), batch, SEED)
    for key, video in videos.items():
        want = data[f"{key}/grid"]
        # The reference ends short videos with fewer black frames.
        ledger.share(f"{key}/grid", video[: len(want)], want)
    seen = agent.model.rssm.observe(
        carry, agent.model.tokens(seq.obs), seq.prevact, seq.is_first, None
    )
    for key, value in seen.last._asdict().items():
        if f"carry_out/{key}" in data:
            ledger.close(f"carry/{key}", value, data[f"carry_out/{key}"])
