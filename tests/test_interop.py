"""Weights and settings of the reference."""

import copy
import json
import pathlib

import numpy as np
import pytest

from dreamerv3_tf import interop

SMALL = pathlib.Path(__file__).resolve().parent / "goldens" / "A"


@pytest.fixture(scope="module")
def config():
    """Settings of a recorded agent."""
    return json.loads((SMALL / "config.json").read_text())


@pytest.fixture(scope="module")
def params():
    """Its parameters."""
    return dict(np.load(SMALL / "params.npz"))


@pytest.fixture(scope="module")
def agent(config):
    """A fresh agent with its spaces and sizes."""
    return interop.reference_agent(config)


def changed(config, **options):
    """The settings with others; `__` separates sections."""
    config = copy.deepcopy(config)
    for path, value in options.items():
        *sections, name = path.split("__")
        section = config["agent_config"]
        for key in sections:
            section = section[key]
        section[name] = value
    return config


def test_every_parameter_of_the_reference_has_its_place(agent, params):
    interop.load_reference_params(agent, params)
    variables, names = agent.variables(), interop.reference_names(agent)
    assert {*names.values(), "slowval_count/value"} == set(params)
    for path, name in names.items():
        np.testing.assert_array_equal(variables[path], params[name])


@pytest.mark.parametrize("name", ["dyn/dyngru/kernel", "retnorm/hi/value"])
def test_a_missing_parameter_changes_nothing(agent, params, name):
    before = [np.asarray(variable) for variable in agent.variables().values()]
    others = {key: value + 1 for key, value in params.items() if key != name}
    with pytest.raises(ValueError, match=f"Missing: .*{name}"):
        interop.load_reference_params(agent, others)
    for value, variable in zip(before, agent.variables().values(), strict=True):
        np.testing.assert_array_equal(value, variable)


def test_an_unknown_parameter_or_shape_is_refused(agent, params):
    with pytest.raises(ValueError, match="Unknown: .*dyn/extra"):
        interop.load_reference_params(agent, {**params, "dyn/extra": np.zeros(1)})
    wrong = {**params, "con/head/logit/bias": np.zeros(2)}
    with pytest.raises(ValueError, match=r"con/head/logit/bias.*\(2,\), expected \(1,"):
        interop.load_reference_params(agent, wrong)


def test_a_variable_without_counterpart_is_named():
    with pytest.raises(KeyError, match="novelty"):
        interop.reference_name("novelty/kernel")


@pytest.mark.parametrize(
    "path, value",
    [
        ("dyn__rssm__absolute", True),
        ("enc__simple__outer", True),
        ("policy_dist_disc", "onehot"),
        ("value__act", "mish"),
        ("policy__norm", "none"),
        ("repl_loss__lam", 0.5),
    ],
)
def test_options_without_counterpart_are_refused(config, path, value):
    with pytest.raises(ValueError, match=f"{path.replace('__', '/')}={value}"):
        interop.reference_agent(changed(config, **{path: value}))


def test_images_of_the_reference_keep_their_order():
    entry = {"dtype": "uint8", "shape": [64, 64, 3], "discrete": True}
    spaces = interop.reference_spaces({"b": entry, "a": entry})
    assert list(spaces) == ["b", "a"] and spaces["a"].image


def test_every_option_reaches_the_agent(config):
    options = {
        "dyn__rssm__dynlayers": 2,
        "dyn__rssm__imglayers": 3,
        "dyn__rssm__obslayers": 2,
        "enc__simple__layers": 2,
        "dec__simple__layers": 1,
        "rewhead__layers": 2,
        "conhead__layers": 3,
        "policy__layers": 1,
        "value__layers": 2,
        "rewhead__bins": 41,
        "value__bins": 40,
        "policy__units": 12,
        "imag_last": 2,
        "imag_length": 3,
        "ac_grads": True,
        "repval_loss": False,
        "retnorm__impl": "meanstd",
        "opt__nesterov": True,
        "opt__momentum": False,
        "opt__wd": 0.5,
        "imag_loss__slowtar": True,
        "slowvalue__every": 3,
    }
    agent = interop.reference_agent(changed(config, **options))
    names = set(interop.reference_names(agent).values())
    layers = "dyn/dynhid1 dyn/prior2 dyn/obs1 enc/mlp1 rew/mlp/linear1 con/mlp/linear2"
    for layer in layers.split():
        assert f"{layer}/kernel" in names
    for layer in ("enc/mlp2", "dec/mlp/linear1", "pol/mlp/linear1", "val/mlp/linear2"):
        assert f"{layer}/kernel" not in names
    assert {"retnorm/mean/value", "retnorm/sqrs/value"} <= names
    objective, behavior = agent.objective, agent.behavior
    assert len(agent.model.reward.bins) == 41 and len(behavior.critic.bins) == 40
    assert behavior.actor.mlp.units == 12 and behavior.actor.unimix == 0
    assert (objective.imag_last, objective.imag_length) == (2, 3)
    assert objective.actor_critic_grads and not objective.replay_critic
    assert behavior.slow_bootstrap and behavior.slow_every == 3
    optimizer = agent.updater.inner
    # The reference has an option `momentum` that it never looks at.
    assert optimizer.nesterov and optimizer.momentum and optimizer.decay == 0.5
