"""Checks of the parts of an agent, each on recorded inputs."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from dreamerv3_tf.agent.agent import Agent
from dreamerv3_tf.nn import dists, functions
from dreamerv3_tf.nn.decoder import vector_value
from dreamerv3_tf.nn.heads import sum_event
from dreamerv3_tf.structs import Latent

from .folder import Folder, swap
from .ledger import IMAGINED, Ledger
from .recording import Recording


def check_components(folder: Folder, data: Recording, ledger: Ledger) -> None:
    """Encoder, recurrent model, decoder and heads."""
    agent = folder.agent("mean")
    carry, seq = folder.start(agent)
    model = agent.model
    tokens = model.encoder(seq.obs)
    ledger.close("enc/tokens", tokens, data["out/enc/tokens"])
    ledger.close("dyn/action_concat", seq.prevact, data["out/dyn/action_concat"])
    check_core(model.rssm, data, ledger)
    latent = check_observe(model, carry, seq, tokens, data, ledger)
    check_latents(model.rssm, data, ledger)
    check_imagine(agent, data, ledger)
    check_decoder(model.decoder, latent, seq, data, ledger)
    feat = functions.features(latent)
    ledger.close("feat2tensor", feat, data["out/feat2tensor"])
    check_heads(agent, tf.constant(data["out/feat2tensor"]), seq, data, ledger)
    check_policy_head(agent, tf.constant(data["out/feat2tensor"]), data, ledger)


def check_core(rssm, data: Recording, ledger: Ledger) -> None:
    deter, stoch, action = (
        tf.constant(data[f"in/core/{key}"]) for key in ("deter", "stoch", "action")
    )
    core = rssm.core(deter, functions.flatten_groups(stoch), action)
    ledger.close("dyn/core", core, data["out/dyn/core/out"])
    want = data["out/dyn/prior_logits_of_core_deter"]
    ledger.close("dyn/prior_of_core", rssm.prior(deter), want)


def check_observe(model, carry, seq, tokens, data: Recording, ledger: Ledger) -> Latent:
    rssm = model.rssm
    reset = tf.constant(data["in/step/reset"])
    step, logit = rssm.observe_step(carry, tokens[:, 0], seq.prevact[:, 0], reset, None)
    for key, value in {**step._asdict(), "logit": logit}.items():
        ledger.close(
            f"dyn/observe_step/{key}", value, data[f"out/dyn/observe_step/{key}"]
        )
    seen = rssm.observe(carry, tokens, seq.prevact, seq.is_first, None)
    for key in Latent._fields:
        value = getattr(seen.latent, key)
        for kind in ("feat", "entries"):
            want = data[f"out/dyn/observe/{kind}/{key}"]
            ledger.close(f"dyn/observe/{kind}/{key}", value, want)
        last = data[f"out/dyn/observe/carry/{key}"]
        ledger.close(f"dyn/observe/carry/{key}", getattr(seen.last, key), last)
    ledger.close("dyn/observe/logit", seen.logit, data["out/dyn/observe/feat/logit"])
    ledger.close("dyn/post_logits", seen.logit, data["out/dyn/post_logits"])
    prior = rssm.prior(seen.latent.deter)
    ledger.close("dyn/prior_logits", prior, data["out/dyn/prior_logits"])
    dyn, rep, _ = rssm.losses(seen.latent.deter, seen.logit)
    ledger.close("dyn/loss/dyn", dyn, data["out/dyn/loss/dyn"])
    ledger.close("dyn/loss/rep", rep, data["out/dyn/loss/rep"])
    ents = {"dyn": prior, "rep": seen.logit}
    for key, logit in ents.items():
        entropy = tf.reduce_mean(rssm.dist(logit).entropy())
        ledger.close(f"dyn/{key}_ent", entropy, data[f"out/dyn/loss/metric_{key}_ent"])
    return seen.latent


def check_latents(rssm, data: Recording, ledger: Ledger) -> None:
    logits = {k: tf.constant(data[f"out/dyn/{k}_logits"]) for k in ("prior", "post")}
    for key, logit in logits.items():
        single = dists.OneHot(logit, rssm.unimix)
        prefix = f"out/dyn/dist/{key}"
        ledger.close(
            f"{key}/probs", single.probs_parameter(), data[f"{prefix}_probs_unimix"]
        )
        logs = single.logits_parameter()
        ledger.close(f"{key}/logprobs", logs, data[f"{prefix}_logprobs_unimix"])
        ledger.close(
            f"{key}/entropy", rssm.dist(logit).entropy(), data[f"{prefix}_entropy"]
        )
    post, prior = rssm.dist(logits["post"]), rssm.dist(logits["prior"])
    kl = {
        "kl_post_prior": post.kl_divergence(prior),
        "kl_prior_post": prior.kl_divergence(post),
    }
    for key, value in kl.items():
        ledger.close(key, value, data[f"out/dyn/dist/{key}"])
    stoch = tf.constant(data["out/dyn/observe/feat/stoch"])
    want = data["out/dyn/dist/logp_of_stoch_under_prior"]
    ledger.close("logp_of_stoch", prior.log_prob(stoch), want)


def check_imagine(agent: Agent, data: Recording, ledger: Ledger) -> None:
    """Prediction with given actions."""
    rssm = agent.model.rssm
    carry = Latent(
        *(tf.constant(data[f"out/dyn/observe/carry/{k}"]) for k in Latent._fields)
    )
    keys = agent.act_space
    actions = {key: tf.constant(data[f"in/imag_actions/{key}"]) for key in keys}
    encoded = swap(agent.model.encode_action(actions))
    last, (states, _) = rssm.imagine(
        carry,
        lambda _, action: (action, ()),
        ((), encoded),
        (),
        int(encoded.shape[0] or 0),
    )
    data = data.part("out/dyn/imagine")
    after = {}
    for key in Latent._fields:
        end = getattr(last, key)
        ledger.close(f"imagine/carry/{key}", end, data[f"carry/{key}"], IMAGINED)
        after[key] = swap(tf.concat([getattr(states, key)[1:], end[None]], 0))
    after["logit"] = rssm.prior(after["deter"])
    for key, value in after.items():
        ledger.close(f"imagine/{key}", value, data[f"feat/{key}"], IMAGINED)


def check_decoder(
    decoder, latent: Latent, seq, data: Recording, ledger: Ledger
) -> None:
    if decoder.vectors:
        means = decoder.vector_means(latent)
        for key, loss in decoder.vector_losses(means, seq.obs).items():
            ledger.close(f"dec/{key}/loss", loss, data[f"out/dec/{key}/loss"])
            space = decoder.vectors[key]
            kind = "logits" if space.discrete else "mean"
            ledger.close(f"dec/{key}/{kind}", means[key], data[f"out/dec/{key}/{kind}"])
            want, value = data[f"out/dec/{key}/pred"], means[key]
            if space.discrete:  # a prediction in symlog units stays as it is
                value = vector_value(means[key], space)
                want = np.reshape(want, (-1, space.size))
            ledger.close(f"dec/{key}/pred", value, want)
    if decoder.images:
        means = decoder.image_means(latent)
        for key, loss in decoder.image_losses(means, seq.obs).items():
            ledger.close(f"dec/{key}/loss", loss, data[f"out/dec/{key}/loss"])
            ledger.close(f"dec/{key}/pred", means[key], data[f"out/dec/{key}/pred"])


def check_heads(agent: Agent, feat, seq, data: Recording, ledger: Ledger) -> None:
    model, behavior = agent.model, agent.behavior
    targets = tf.constant(data["in/rew_targets"])
    heads = {"rew": model.reward, "val": behavior.critic, "slowval": behavior.slow}
    for key, head in heads.items():
        dist = head(feat)
        ledger.close(f"{key}/logits", dist.logits, data[f"out/{key}/logits"])
        ledger.close(f"{key}/pred", dist.mean(), data[f"out/{key}/pred"])
        if f"out/{key}/loss_of_targets" in data:
            want = data[f"out/{key}/loss_of_targets"]
            ledger.close(f"{key}/loss", -dist.log_prob(targets), want)
    want = data["out/rew/loss_of_batch_reward"]
    ledger.close("rew/loss_of_reward", -model.reward(feat).log_prob(seq.reward), want)
    logit = model.cont(feat)
    ledger.close("con/logit", logit, data["out/con/logit"])
    ledger.close("con/prob", tf.sigmoid(logit), data["out/con/prob1"])
    ledger.close("con/pred", logit > 0, data["out/con/pred"])
    goal = 1 - tf.cast(seq.is_terminal, tf.float32)
    goal *= model.discount if model.discount_in_cont else 1.0
    ledger.close("con/target", goal, data["out/con/target"])
    ledger.close("con/loss", dists.binary_loss(logit, goal), data["out/con/loss"])


def check_policy_head(agent: Agent, feat, data: Recording, ledger: Ledger) -> None:
    for key, dist in agent.behavior.actor(feat).items():
        space, prefix = agent.act_space[key], f"out/pol/{key}"
        names = (
            {"logits": "logits"}
            if space.discrete
            else {"mean": "loc", "stddev": "scale"}
        )
        for name, attribute in names.items():
            ledger.close(
                f"pol/{key}/{name}", getattr(dist, attribute), data[f"{prefix}/{name}"]
            )
        ledger.close(f"pol/{key}/pred", dist.pick(None), data[f"{prefix}/pred"])
        entropy = sum_event(dist.entropy(), space)
        ledger.close(f"pol/{key}/entropy", entropy, data[f"{prefix}/entropy"])
        taken = tf.constant(data[f"in/pol_actions/{key}"])
        logp = sum_event(dist.log_prob(taken), space)
        ledger.close(f"pol/{key}/logp", logp, data[f"{prefix}/logp_of_actions"])
        low, high = agent.behavior.actor.entropy_bounds(key)
        for name, bound in (("minent", low), ("maxent", high)):
            if f"{prefix}/{name}" in data:
                ledger.close(f"pol/{key}/{name}", bound, data[f"{prefix}/{name}"])
            inner = f"{prefix}/{name}_of_inner_before_agg"
            if inner in data:
                each = np.full(data[inner].shape, bound / space.size)
                ledger.close(f"pol/{key}/{name}", each, data[inner])
