"""Checks of the parts of an agent of the 2023 version, and of what it does."""

from __future__ import annotations

import pathlib

import tensorflow as tf

from dreamerv3_tf.agent.agent import Agent
from dreamerv3_tf.nn import dists, functions
from dreamerv3_tf.nn.heads import sum_event
from dreamerv3_tf.structs import Latent, PolicyCarry

from .folder import SEED
from .ledger import COMPONENT, Ledger
from .preprint import SAME, Preprint, latent_of
from .preprint_training import check_training
from .recording import Recording


def check(path: pathlib.Path, config: dict, ledger: Ledger, xla: str) -> None:
    """Runs every check for which the folder has files."""
    folder = Preprint(path, config, ledger, xla)
    with ledger.guard():
        check_settings(folder, ledger.at("config"))
    checks = {
        "components": check_components,
        "policy": check_policy,
        "train_official": check_training,
        "train_fast": check_training,
    }
    for name, run in checks.items():
        if folder.has(name):
            place = ledger.at(name)
            with place.guard():
                run(folder, folder.load(name), place)


def check_settings(folder: Preprint, ledger: Ledger) -> None:
    """The preset has the recorded settings."""
    settings = folder.settings().flatten()
    for ours, theirs in SAME.items():
        got, want = settings[f"agent.{ours}"], folder.setting(theirs)
        if isinstance(want, str):
            ledger.close(ours, float(got == want), 1.0, 0.0)
        else:
            ledger.relative(ours, got, want, 1e-12)


def check_components(folder: Preprint, data: Recording, ledger: Ledger) -> None:
    """Encoder, recurrent model, decoder and heads on the first batch."""
    agent = folder.agent("mean")
    latent, before = folder.carry()
    carry, seq = agent.context.split(latent, folder.batch("batch0", before))
    model = agent.model
    ledger.close("prev_actions", seq.prevact, data["rssm/prev_actions"])
    tokens = model.encoder(seq.obs)
    ledger.close("enc/embed", tokens, data["enc/embed"])
    seen = model.rssm.observe(carry, tokens, seq.prevact, seq.is_first, None)
    check_states(agent, seen, data.part("rssm"), ledger)
    check_step(folder, agent, seen.latent, data.part("rssm"), ledger)
    check_decoder(model.decoder, seen.latent, seq, data.part("dec"), ledger)
    feat = functions.features(seen.latent)
    check_heads(agent, feat, seq, data, ledger)
    action = folder.action(folder.load("batch0")["action"])
    check_actor(agent, feat, action, data.part("actor"), ledger)


def mixed(rssm, logit):
    """Log-probabilities after unimix, which the recordings call logits."""
    return dists.mixed_logits(logit, rssm.unimix)


def check_states(agent: Agent, seen, data: Recording, ledger: Ledger) -> None:
    """The learned first state, posteriors and priors of the sequence."""
    rssm, latent = agent.model.rssm, seen.latent
    rows = latent.deter.shape[0]
    for key, value in rssm.initial(rows)._asdict().items():
        ledger.close(f"initial/{key}", value, data[f"initial/{key}"])
    prior = rssm.prior(latent.deter)
    states = {
        "post": (latent.deter, latent.stoch, seen.logit),
        "prior": (latent.deter, rssm.pick(prior, None), prior),
    }
    for kind, (deter, stoch, logit) in states.items():
        ledger.close(f"{kind}/deter", deter, data[f"{kind}/deter"])
        ledger.close(f"{kind}/stoch", stoch, data[f"{kind}/stoch"])
        ledger.close(f"{kind}/logit", mixed(rssm, logit), data[f"{kind}/logit"])
        entropy = rssm.dist(logit).entropy()
        ledger.close(f"{kind}/entropy", entropy, data[f"{kind}_entropy"])
    post, prior = rssm.dist(seen.logit), rssm.dist(prior)
    ledger.close("kl_post_prior", post.kl_divergence(prior), data["kl_post_prior"])
    ledger.close("kl_prior_post", prior.kl_divergence(post), data["kl_prior_post"])


def check_step(folder, agent: Agent, latent: Latent, data, ledger: Ledger) -> None:
    """One step of imagination with a given action."""
    rssm = agent.model.rssm
    action = folder.action(folder.load("batch0")["action"][:, 1])
    encoded = agent.model.encode_action({"action": action})
    start = Latent(*(x[:, 1] for x in latent))
    after, _ = rssm.imagine(start, lambda *_: (encoded, ()), ((), tf.zeros(1)), (), 1)
    data = data.part("img_step_from_post1_action1")
    for key, value in after._asdict().items():
        ledger.close(f"img_step/{key}", value, data[key])
    logit = mixed(rssm, rssm.prior(after.deter))
    ledger.close("img_step/logit", logit, data["logit"])


def check_decoder(decoder, latent: Latent, seq, data: Recording, ledger: Ledger):
    """Reconstructions and their losses."""
    if decoder.vectors:
        means = decoder.vector_means(latent)
        for key, loss in decoder.vector_losses(means, seq.obs).items():
            part = data.part(key)
            ledger.close(f"dec/{key}/raw_mode", means[key], part["raw_mode"])
            value = functions.symexp(means[key])
            ledger.close(f"dec/{key}/mode", value, part["mode"])
            ledger.close(f"dec/{key}/loss", loss, part["loss"])
    if decoder.images:
        means = decoder.image_means(latent)
        for key, loss in decoder.image_losses(means, seq.obs).items():
            ledger.close(f"dec/{key}/mode", means[key], data[f"{key}/mode"])
            ledger.close(f"dec/{key}/loss", loss, data[f"{key}/loss"])


def check_heads(agent: Agent, feat, seq, data: Recording, ledger: Ledger) -> None:
    """Reward, continue and critic."""
    model, behavior = agent.model, agent.behavior
    reward = model.reward(feat)
    ledger.close("rew/bins", reward.bins, data["rew/bins_symlog"])
    ledger.close("rew/loss", -reward.log_prob(seq.reward), data["rew/loss"])
    for key, dist in {"rew": reward, "critic": behavior.critic(feat)}.items():
        # The recording's logits are those of a log-softmax.
        logits = tf.nn.log_softmax(dist.logits)
        want = tf.nn.log_softmax(tf.constant(data[f"{key}/logits"]))
        ledger.close(f"{key}/logits", logits, want)
        ledger.close(f"{key}/mean", dist.mean(), data[f"{key}/mean"])
    ledger.close("slow/mean", behavior.slow(feat).mean(), data["slow/mean"])
    logit = model.cont(feat)
    goal = 1 - tf.cast(seq.is_terminal, tf.float32)
    ledger.close("cont/logit", logit, data["cont/logit"])
    ledger.close("cont/mean", tf.sigmoid(logit), data["cont/mean"])
    ledger.close("cont/mode", logit > 0, data["cont/mode"])
    ledger.close("cont/loss", dists.binary_loss(logit, goal), data["cont/loss"])


def check_actor(agent: Agent, feat, action, data: Recording, ledger: Ledger) -> None:
    """The policy in the states of the sequence."""
    space, dist = agent.act_space["action"], agent.behavior.actor(feat)["action"]
    entropy = sum_event(dist.entropy(), space)
    ledger.close("actor/entropy", entropy, data["entropy"])
    want = data["logp_of_data_action"]
    if space.discrete:
        logits = dist.logits_parameter()
        ledger.close("actor/logits", logits, data["logits_unimix"])
        taken = action >= 0  # the others have no action to speak of
        logp = dist.log_prob(tf.maximum(action, 0))
        logp, want = tf.boolean_mask(logp, taken), tf.boolean_mask(want, taken)
    else:
        ledger.close("actor/mean", dist.loc, data["mean"])
        ledger.close("actor/std", dist.scale, data["std"])
        logp = sum_event(dist.log_prob(action), space)
    ledger.close("actor/logp", logp, want)
    for name, bound in zip(
        ("minent", "maxent"), agent.behavior.actor.entropy_bounds("action"), strict=True
    ):
        ledger.close(f"actor/{name}", bound, data[name])


def check_policy(folder: Preprint, data: Recording, ledger: Ledger) -> None:
    """Policy steps from recorded states."""
    agent = folder.agent("mean", xla=folder.xla)
    for step in sorted({name.split("/")[0] for name in data}):
        part, book = data.part(step), ledger.at(step)
        before = {"action": folder.action(part["state_in/action"])}
        carry = PolicyCarry(latent_of(part.part("state_in/latent")), before)
        keys = [*agent.model.inputs, "is_first"]
        obs = {key: tf.constant(part[f"obs/{key}"]) for key in keys}
        action, _, carry = agent.policy(carry, obs, SEED)
        want = folder.action(part["out/action"])
        book.close("action", action["action"], want)
        want = folder.action(part["state_out/action"])
        book.close("carry/action", carry.action["action"], want)
        for key, value in carry.latent._asdict().items():
            book.close(f"carry/{key}", value, part[f"state_out/latent/{key}"])
        feat = functions.features(carry.latent)
        entropy = agent.behavior.actor(feat)["action"].entropy()
        entropy = sum_event(entropy, agent.act_space["action"])
        book.close("entropy", entropy, part["out/log_entropy"], COMPONENT)
