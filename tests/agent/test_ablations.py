"""What each ablation preset takes away, and that it learns without it."""

import numpy as np
import pytest
import tensorflow as tf

from dreamerv3_tf import presets
from dreamerv3_tf.agent import foresight
from dreamerv3_tf.run.build import build_agent
from dreamerv3_tf.run.device import Device
from dreamerv3_tf.structs import Latent

ABLATIONS = presets.list_presets(presets.configs_folder())[1]
SMALL = ("agent.stoch=4", "agent.imag_length=2", "agent.reward.bins=41")
QUICKLY = ("no_reconstruction_grads", "no_robustness", "no_symlog")
PAPERS = ["paper2025", pytest.param("paper2023", marks=pytest.mark.slow)]


def ablated(tiny, names, obs=None, act=None, paper="paper2025", xla="off"):
    """A tiny agent with these presets on top of a paper's."""
    stages = ("agent.encoder.mults=[2, 2]", "agent.decoder.mults=[2, 2]")
    chosen = [paper, "debug", *names.split()]
    config = presets.load("dummy_disc", chosen, [*SMALL, *stages])
    device = Device("/CPU:0", "", False, "float32", xla)
    signals = {k: v for k, v in tiny.agent().obs_space.items() if k not in tiny.vectors}
    spaces = {**(obs or tiny.vectors), **signals}
    return build_agent(config, device, spaces, act or tiny.choice)


def look(tiny, agent):
    """The trained steps of a batch, the noise of a step, and all losses on them."""
    carry, seq = agent.context.split(agent.initial_train(2), tiny.batch(agent))
    noise = agent._noise_for(seq, tiny.seed(0))
    return seq, noise, agent.objective.losses(carry, seq, noise, training=True)


def stir(agent, *parts):
    """Gives the zero weights of these parts of an agent small random values."""
    rng = np.random.default_rng(1)
    for part in parts:
        for variable in agent.parts[part].trainable_weights:
            if not np.any(variable):
                variable.assign(rng.normal(0, 0.1, variable.shape))


def reached(tiny, agent, *losses):
    """Parts of the agent that these losses would change."""
    weights = agent.updater.variables
    with tf.GradientTape() as tape:
        found = look(tiny, agent)[2].losses
        total = tf.add_n([tf.reduce_sum(found[key]) for key in losses])
    gradients = tape.gradient(total, [weight.value for weight in weights])
    pairs = zip(weights, gradients, strict=True)
    return {w.path.split("/")[0] for w, g in pairs if g is not None and np.any(g)}


@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize(
    "name",
    [
        name if name in QUICKLY else pytest.param(name, marks=pytest.mark.slow)
        for name in ABLATIONS
    ],
)
def test_each_ablation_learns_from_images_and_vectors(tiny, name, paper):
    obs = {**tiny.image, **tiny.vectors}
    agent = ablated(tiny, name, obs, tiny.mixed, paper)
    carry, seq = agent.context.split(agent.initial_train(2), tiny.batch(agent))
    outcome = agent._step(carry, seq, agent._noise_for(seq, tiny.seed(0)))
    losses = [float(tf.reduce_mean(loss)) for loss in outcome.losses.values()]
    assert np.isfinite(losses).all()
    assert float(outcome.metrics["opt/grad_norm"]) > 0


@pytest.mark.parametrize("paper", presets.VERSIONS)
def test_each_ablation_changes_something_of_each_version_that_has_the_trick(paper):
    whole = presets.load("dummy_disc", [paper])
    same = [
        name
        for name in ABLATIONS
        if not presets.differences(whole, presets.load("dummy_disc", [paper, name]))
    ]
    assert same == (["no_replay_critic"] if paper == "paper2023" else [])


@pytest.mark.parametrize(
    "name, distance, one",
    [
        ("no_twohot", lambda r: np.sqrt(r**2 + 1) - 1, 1.0),
        ("no_twohot_symlog", lambda r: np.log1p(np.abs(r)) ** 2, np.e - 1),
        ("no_symlog", lambda r: r**2, 1.0),
    ],
)
def test_without_bins_a_new_head_predicts_zero_and_pays_by_distance(
    tiny, name, distance, one
):
    agent = ablated(tiny, name)
    seq, _, outcome = look(tiny, agent)
    want = distance(seq.reward.numpy())
    np.testing.assert_allclose(outcome.losses["rew"], want, rtol=1e-5)
    agent.behavior.critic.out.bias.assign([1.0])
    value = agent.behavior.critic(tf.ones((1, agent.model.feat_width))).mean()
    np.testing.assert_allclose(value, [one], rtol=1e-6)


@pytest.mark.parametrize("name", ["no_obs_symlog", "no_symlog", "no_robustness"])
def test_without_symlog_vectors_are_read_and_written_as_they_are(tiny, name):
    agent = ablated(tiny, name)
    decoder = agent.model.decoder
    for output in decoder.outputs:
        output.kernel.assign(0 * output.kernel)
    bias = np.array([3.0, -1.0, 0.5], "float32")
    decoder.outputs[list(decoder.vectors).index("vec")].bias.assign(bias)
    seq, _, outcome = look(tiny, agent)
    want = np.sum((bias - seq.obs["vec"].numpy()) ** 2, -1)
    np.testing.assert_allclose(outcome.losses["vec"], want, rtol=1e-5)
    start = agent.model.rssm.initial(1)
    latent = Latent(*(x[None] for x in start))
    shown = foresight.decode(agent, latent)["vec"]
    np.testing.assert_allclose(shown[0, 0], bias)
    twice = {**seq.obs, "vec": 2 * seq.obs["vec"]}
    inputs = []
    agent.model.encoder.mlp.call = lambda x: inputs.append(x) or x
    for obs in (seq.obs, twice):
        agent.model.encoder.embed_vectors(obs)
    near, far = (x.numpy() for x in inputs)
    np.testing.assert_allclose(far[..., -3:], 2 * near[..., -3:], rtol=1e-6)


def test_without_free_bits_a_kl_of_zero_counts_as_zero(tiny):
    for name, want in (("no_free_bits", 0.0), ("no_unimix", 1.0)):
        agent = ablated(tiny, name)
        for layer in (agent.model.rssm.prior_out, agent.model.rssm.post_out):
            for weight in layer.weights:
                weight.assign(0 * weight)
        losses = look(tiny, agent)[2].losses
        np.testing.assert_allclose(losses["dyn"], want * np.ones((2, 4)), atol=1e-6)
        np.testing.assert_allclose(losses["rep"], want * np.ones((2, 4)), atol=1e-6)


@pytest.mark.parametrize("paper, whole", [("paper2023", 1.2), ("paper2025", 2.2)])
def test_without_balance_both_kls_weigh_the_same(paper, whole):
    totals = []
    for names in ([paper], [paper, "no_kl_balance"]):
        scales = presets.load("dummy_disc", names).agent.scales
        totals.append(2.0 * scales["dyn"] + 2.0 * scales["rep"])  # of two KLs of 2 nats
    np.testing.assert_allclose(totals, [whole, 4.0])


def test_advantages_are_normalised_in_place_of_returns(tiny):
    agent = ablated(tiny, "no_return_norm")
    seq, noise, outcome = look(tiny, agent)
    behavior = agent.behavior
    assert [float(x) for x in behavior.return_norm.stats()] == [0, 1]
    behaved, _ = agent.objective.behave(outcome.latent, seq, noise, training=False)
    value = behaved.judged.value[:, :-1]
    advantage = (behaved.learned.ret - value).numpy()
    mean, deviation = (float(x) for x in behavior.advantage_norm.stats())
    np.testing.assert_allclose(
        [mean, deviation], [advantage.mean(), advantage.std()], atol=1e-5
    )


def test_returns_are_divided_by_their_deviation(tiny):
    agent = ablated(tiny, "return_std no_twohot")
    stir(agent, "reward", "critic")
    seq, noise, outcome = look(tiny, agent)
    behaved, _ = agent.objective.behave(outcome.latent, seq, noise, training=False)
    deviation = float(agent.behavior.return_norm.stats()[1])
    assert 0 < deviation < 1  # below the limit of the percentiles
    np.testing.assert_allclose(deviation, np.std(behaved.learned.ret), rtol=1e-3)


def test_without_unimix_probabilities_may_be_zero(tiny):
    agent = ablated(tiny, "no_unimix")
    logits = tf.constant([[0.0, 500, 0, 0]])
    probs = agent.model.rssm.dist(logits).distribution.probs_parameter()
    np.testing.assert_array_equal(np.reshape(probs, (-1, 4))[0], [0, 1, 0, 0])
    (out,) = agent.behavior.actor.outs
    out.bias.assign([0.0, 500, 0])
    policy = agent.behavior.actor(tf.zeros((1, agent.model.feat_width)))["action"]
    np.testing.assert_array_equal(policy.probs_parameter(), [[0, 1, 0]])


def test_the_critic_can_do_without_replay(tiny):
    losses = look(tiny, ablated(tiny, "no_replay_critic"))[2].losses
    assert "value" in losses and "repval" not in losses


def test_rewards_and_values_need_not_shape_the_latents(tiny):
    shaped = []
    for name in ("no_reward_value_grads", "no_free_bits"):
        agent = ablated(tiny, name)
        stir(agent, "reward", "critic")
        shaped.append(reached(tiny, agent, "rew", "repval"))
    assert shaped == [{"reward", "critic"}, {"reward", "critic", "encoder", "rssm"}]


def test_observations_need_not_shape_the_latents(tiny):
    obs = {**tiny.image, **tiny.vectors}
    shaped = []
    for name in ("no_reconstruction_grads", "no_free_bits"):
        agent = ablated(tiny, name, obs)
        shaped.append(reached(tiny, agent, "image", "vec", "mode"))
        assert "rssm" in reached(tiny, agent, "con", "rep")
    assert shaped == [{"decoder"}, {"decoder", "encoder", "rssm"}]


@pytest.mark.slow
def test_the_split_step_stops_the_gradients_of_images_too(tiny):
    obs, after = {**tiny.image, **tiny.vectors}, []
    for xla in ("off", "split"):
        agent = ablated(tiny, "no_reconstruction_grads", obs, xla=xla)
        tiny.train(agent, tiny.batch(agent), 3)
        after.append([weight.numpy() for weight in agent.updater.variables])
    for plain, split in zip(*after, strict=True):
        np.testing.assert_allclose(split, plain, rtol=1e-3, atol=1e-5)
