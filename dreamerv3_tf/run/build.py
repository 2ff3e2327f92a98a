"""The only place that turns sections of the configuration into objects."""

from __future__ import annotations

import dataclasses
import pathlib
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from dreamerv3_tf import agent_config as settings
from dreamerv3_tf.agent.actor_critic import ActorCritic
from dreamerv3_tf.agent.agent import Agent
from dreamerv3_tf.agent.context import Context
from dreamerv3_tf.agent.objective import Objective
from dreamerv3_tf.agent.optimizers import Adam, LaProp, Schedule
from dreamerv3_tf.agent.returns import Normalizer
from dreamerv3_tf.agent.world_model import WorldModel
from dreamerv3_tf.config import Config
from dreamerv3_tf.envs.hooks import env_legend
from dreamerv3_tf.nn.decoder import Decoder
from dreamerv3_tf.nn.encoder import Encoder
from dreamerv3_tf.nn.heads import (
    Actor,
    BinaryHead,
    MaskHead,
    RealHead,
    make_real_head,
)
from dreamerv3_tf.nn.rssm import RSSM
from dreamerv3_tf.nn.style import Style
from dreamerv3_tf.replay.loader import Loader
from dreamerv3_tf.replay.replay import Replay
from dreamerv3_tf.run.device import Device
from dreamerv3_tf.run.workers import VectorEnv, make_envs
from dreamerv3_tf.spaces import Space, find_masks
from dreamerv3_tf.structs import SIGNALS, Batch
from dreamerv3_tf.values import ConfigError

Spaces = dict[str, Space]


def build_agent(config: Config, device: Device, obs: Spaces, act: Spaces) -> Agent:
    """A fresh agent for environments with these spaces.

    Weights depend on `config.seed` alone. Sets Keras' and numpy's global random state.

    Raises:
        ConfigError: the spaces do not fit the networks; says which entry and why.
    """
    keras.utils.set_random_seed(config.seed)
    agent, policy = config.agent, dtype_policy(device.precision)
    obs = {key: space for key, space in obs.items() if not key.startswith("log/")}
    try:
        model = build_model(agent, policy, obs, act)
    except ValueError as error:
        raise ConfigError(f"task {config.task}: {error}") from error
    objective = Objective(
        model,
        build_behavior(agent, policy, act),
        scales=agent.scales,
        imag_length=agent.imag_length,
        imag_last=agent.imag_last,
        replay_critic=agent.replay_critic,
        replay_critic_grad=agent.replay_critic_grad,
        actor_critic_grads=agent.actor_critic_grads,
        first_cont=agent.first_cont,
        imagined_cont=agent.imagined_cont,
        in_turn=agent.updates == "in_turn",
    )
    return Agent(
        obs,
        act,
        objective,
        build_optimizer(agent.optimizer),
        Context(model, config.replay.context, deter_bytes(config, device)),
        xla=device.xla,
        turns=build_turns(agent),
        loss_scaling=device.precision == "float16",
        max_loss_scale=agent.optimizer.max_loss_scale,
        report_vectors=tuple(env_legend(config.task)) if model.encoder.images else (),
    )


def dtype_policy(precision: str) -> keras.DTypePolicy:
    """Keras' policy: weights in float32, computation in `precision`."""
    name = precision if precision == "float32" else f"mixed_{precision}"
    return keras.DTypePolicy(name)


def deter_bytes(config: Config, device: Device) -> int:
    """Bytes of a stored deter unit: as in the computation, unless asked otherwise."""
    asked = config.replay.deter_bytes
    if asked == "auto":
        return 4 if device.precision == "float32" else 2
    return int(asked)


def build_model(
    agent: settings.Agent, policy: keras.DTypePolicy, obs: Spaces, act: Spaces
) -> WorldModel:
    """The world model for these spaces."""
    inputs = {key: space for key, space in obs.items() if key not in SIGNALS}
    nets = {"style": style(agent), "dtype": policy}
    rssm = RSSM(
        deter=agent.deter,
        hidden=agent.hidden,
        stoch=agent.stoch,
        classes=agent.classes,
        blocks=agent.blocks,
        dyn_layers=agent.dyn_layers,
        prior_layers=agent.prior_layers,
        post_layers=agent.post_layers,
        unimix=agent.unimix,
        free_nats=agent.free_nats,
        cell=agent.cell,
        initial=agent.initial,
        name="rssm",
        **nets,
    )
    nets |= {"depth": agent.depth, "strided": agent.image_net == "stride"}
    encoder = Encoder(
        inputs, **sized(agent, vars(agent.encoder)), **nets, name="encoder"
    )
    masks = find_masks(inputs, act)  # they have a head of their own
    decoded = {k: s for k, s in inputs.items() if k not in dict(masks.values())}
    decoder = Decoder(
        decoded, **sized(agent, vars(agent.decoder)), **nets, name="decoder"
    )
    reward, cont = agent.reward, agent.cont
    return WorldModel(
        encoder,
        rssm,
        decoder,
        make_real_head(
            agent.bins,
            reward.bins,
            mlp(agent, reward.layers),
            reward.outscale,
            name="reward",
            dtype=policy,
        ),
        BinaryHead(mlp(agent, cont.layers), cont.outscale, name="cont", dtype=policy),
        action_spaces=act,
        mask=build_mask(agent, policy, masks),
        horizon=agent.horizon,
        discount_in_cont=agent.discount_in_cont,
        reward_grad=agent.reward_grad,
        rec_grad=agent.rec_grad,
    )


def build_mask(agent: settings.Agent, policy: keras.DTypePolicy, masks: dict):
    """The head of the masks; `None` where no action has one."""
    if not masks:
        return None
    spaces, section = {key: space for key, (_, space) in masks.items()}, agent.mask
    net = mlp(agent, section.layers)
    return MaskHead(spaces, net, section.outscale, name="mask", dtype=policy)


def mlp(agent: settings.Agent, layers: int) -> dict:
    """Keywords of a head's MLP."""
    return {"layers": layers, "units": agent.units, "style": style(agent)}


def style(agent: settings.Agent) -> Style:
    """How the layers of all networks are made."""
    return Style(
        agent.act,
        agent.norm,
        agent.norm_eps,
        agent.norm_bias,
        agent.init,
        agent.out_init,
    )


def sized(agent: settings.Agent, section: dict[str, Any]) -> dict[str, Any]:
    """Settings of an encoder or decoder, with the width of its vector part."""
    return {**section, "units": section["units"] or agent.units}


def build_behavior(
    agent: settings.Agent, policy: keras.DTypePolicy, act: Spaces
) -> ActorCritic:
    """Actor, critics and normalisers."""
    actor, critic, slow = agent.actor, agent.critic, agent.slow_critic

    def value_head(name: str) -> RealHead:
        net = mlp(agent, critic.layers)
        options = agent.bins, critic.bins, net, critic.outscale
        return make_real_head(*options, name=name, dtype=policy)

    return ActorCritic(
        Actor(
            act,
            mlp(agent, actor.layers),
            actor.outscale,
            unimix=actor.unimix,
            min_std=actor.min_std,
            max_std=actor.max_std,
            name="actor",
            dtype=policy,
        ),
        value_head("critic"),
        value_head("slow_critic"),
        Normalizer(**vars(agent.return_norm), name="return_norm"),
        Normalizer(**vars(agent.value_norm), name="value_norm"),
        Normalizer(**vars(agent.advantage_norm), name="advantage_norm"),
        horizon=agent.horizon,
        discount_in_cont=agent.discount_in_cont,
        lam=agent.lam,
        actor_gradient=agent.actor_gradient,
        entropy=agent.entropy,
        slow_first=slow.first,
        slow_rate=slow.rate,
        slow_every=slow.every,
        slow_regularizer=slow.regularizer,
        slow_bootstrap=slow.bootstrap,
    )


def build_optimizer(section: settings.Optimizer) -> LaProp:
    """The optimizer of all weights, or of the world model."""
    rate: Any = Schedule(section.lr, section.warmup, section.schedule, section.anneal)
    return OPTIMIZERS[section.kind](
        rate,
        agc=section.agc,
        clip=section.clip,
        beta1=section.beta1,
        beta2=section.beta2,
        epsilon=section.eps,
        momentum=section.momentum,
        nesterov=section.nesterov,
        decay=section.weight_decay,
    )


OPTIMIZERS = {"laprop": LaProp, "adam": Adam}


def build_turns(agent: settings.Agent) -> dict[str, LaProp]:
    """Optimizers of actor and critic; none where all weights are updated together."""
    if agent.updates == "together":
        return {}
    parts = {"actor": agent.actor_optimizer, "critic": agent.critic_optimizer}
    return {
        name: build_optimizer(dataclasses.replace(agent.optimizer, **vars(section)))
        for name, section in parts.items()
    }


def build_envs(
    config: Config,
    *,
    evaluation: bool = False,
    start: int = 0,
    logdir: pathlib.Path | None = None,
) -> VectorEnv:
    """Environments of the task.

    Args:
        config: the configuration.
        evaluation: those of evaluation, with seeds that training never uses.
        start: agent steps at which this process started, so that a run that goes on
            does not see the same episodes again.
        logdir: folder of the run, where they train in one.

    Raises:
        EnvError: the task cannot be made.
    """
    words = (config.seed, 1 if evaluation else 0, start)
    seed = int(np.random.SeedSequence(words).generate_state(1)[0] >> 1)
    return make_envs(
        config.task,
        num=config.run.eval_envs if evaluation else config.run.envs,
        seed=seed,
        parallel=config.run.parallel,
        evaluation=evaluation,
        logdir=None if logdir is None else str(logdir),
        **config.env,
    )


def replay_spaces(agent: Agent) -> Spaces:
    """Everything that replay stores of a step."""
    return {**agent.obs_space, **agent.act_space, **agent.latent_spaces}


def build_replay(config: Config, agent: Agent, folder: pathlib.Path) -> Replay:
    """The replay of a run, opened or made.

    Raises:
        ReplayError: the folder holds something else.
    """
    section = config.replay
    options = {
        "recency": {"exponent": section.recency_exponent},
        "priority": dataclasses.asdict(section.priority),
    }
    mixture = {name: share for name, share in section.mixture.items() if share}
    return Replay(
        folder,
        replay_spaces(agent),
        streams=config.run.envs,
        length=section.batch_length + section.context,
        context=section.context,
        capacity=section.capacity,
        capacity_bytes=section.capacity_bytes,
        online=section.online,
        mixture=mixture,
        options={name: options[name] for name in mixture if name in options},
        seed=config.seed,
    )


def build_loader(
    config: Config, agent: Agent, replay: Replay, device: Device
) -> Loader:
    """Background batches of the replay, on the device."""

    def place(batch: Batch) -> Batch:
        with tf.device(device.name):
            return tf.nest.map_structure(tf.constant, batch)

    keys = list(agent.model.inputs), list(agent.act_space)
    return Loader(replay, config.replay.batch_size, *keys, place)
