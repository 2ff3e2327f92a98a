"""Taking over weights and settings from the reference implementation.

The reference names its parameters by module path, such as `dyn/dynhid0/kernel`; this
project by layer path, such as `rssm/core/hidden0/kernel`. Shapes and layouts agree.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from dreamerv3_tf.spaces import Space
from dreamerv3_tf.structs import SIGNALS

RULES = [
    (r"encoder/mlp/linear(\d+)/", r"enc/mlp\1/"),
    (r"encoder/mlp/norm(\d+)/", r"enc/mlp\1norm/"),
    (r"encoder/conv(\d+)/", r"enc/cnn\1/"),
    (r"encoder/norm(\d+)/", r"enc/cnn\1norm/"),
    (r"decoder/mlp/", r"dec/mlp/"),
    (r"decoder/from_deter/", r"dec/sp0/"),
    (r"decoder/stoch_mlp/linear0/", r"dec/sp1/"),
    (r"decoder/stoch_mlp/norm0/", r"dec/sp1norm/"),
    (r"decoder/from_stoch/", r"dec/sp2/"),
    (r"decoder/from_both/", r"dec/space/"),
    (r"decoder/grid_norm/", r"dec/spnorm/"),
    (r"decoder/dense_norm/", r"dec/spacenorm/"),
    (r"decoder/conv(\d+)/", r"dec/conv\1/"),
    (r"decoder/norm(\d+)/", r"dec/conv\1norm/"),
    (r"decoder/to_image/", r"dec/imgout/"),
    (r"rssm/core/from_deter/", r"dyn/dynin0/"),
    (r"rssm/core/from_stoch/", r"dyn/dynin1/"),
    (r"rssm/core/from_action/", r"dyn/dynin2/"),
    (r"rssm/core/norm_deter/", r"dyn/dynin0norm/"),
    (r"rssm/core/norm_stoch/", r"dyn/dynin1norm/"),
    (r"rssm/core/norm_action/", r"dyn/dynin2norm/"),
    (r"rssm/core/hidden(\d+)/", r"dyn/dynhid\1/"),
    (r"rssm/core/hidden_norm(\d+)/", r"dyn/dynhid\1norm/"),
    (r"rssm/core/gates/", r"dyn/dyngru/"),
    (r"rssm/prior/linear(\d+)/", r"dyn/prior\1/"),
    (r"rssm/prior/norm(\d+)/", r"dyn/prior\1norm/"),
    (r"rssm/post/linear(\d+)/", r"dyn/obs\1/"),
    (r"rssm/post/norm(\d+)/", r"dyn/obs\1norm/"),
    (r"rssm/prior_logit/", r"dyn/priorlogit/"),
    (r"rssm/post_logit/", r"dyn/obslogit/"),
    (r"reward/mlp/", r"rew/mlp/"),
    (r"reward/out/", r"rew/head/logits/"),
    (r"cont/mlp/", r"con/mlp/"),
    (r"cont/out/", r"con/head/logit/"),
    (r"actor/mlp/", r"pol/mlp/"),
    (r"actor/(.+)_(logits|mean|stddev)/", r"pol/head/\1/\2/"),
    (r"critic/mlp/", r"val/mlp/"),
    (r"critic/out/", r"val/head/logits/"),
    (r"slow_critic/mlp/", r"slowval/mlp/"),
    (r"slow_critic/out/", r"slowval/head/logits/"),
    (r"return_norm/(\w+)$", r"retnorm/\1/value"),
    (r"value_norm/(\w+)$", r"valnorm/\1/value"),
    (r"advantage_norm/(\w+)$", r"advnorm/\1/value"),
]


def reference_name(path: str, discrete: bool = False) -> str:
    """The reference's name of one of our variables.

    Args:
        path: path of the variable, as in `Agent.variables`.
        discrete: the variable belongs to a vector output of the decoder that
            reconstructs a discrete key.

    Raises:
        KeyError: no rule fits.
    """
    match = re.match(r"decoder/vector_(.+)/(kernel|bias)$", path)
    if match:
        kind = "logits" if discrete else "pred"
        return f"dec/vec/{match[1]}/{kind}/{match[2]}"
    for pattern, name in RULES:
        if re.match(pattern, path):
            return re.sub(f"^{pattern}", name, path)
    raise KeyError(f"No name of the reference is known for variable '{path}'.")


def reference_names(agent) -> dict[str, str]:
    """`{our variable: its name in the reference}`, the optimizer left out."""
    discrete = {k for k, space in agent.model.decoder.vectors.items() if space.discrete}
    names = {}
    for path in agent.variables():
        if path.startswith("optimizer/"):
            continue
        key = path.removeprefix("decoder/vector_").rpartition("/")[0]
        names[path] = reference_name(path, key in discrete)
    return names


def load_reference_params(agent, params: Mapping[str, np.ndarray]) -> None:
    """Copies parameters of the reference into an agent, by its names.

    Args:
        agent: an `Agent` with the same spaces and sizes.
        params: `{name: array}`: weights, slow critic, normalisers. The counter
            `slowval_count/value`, which this project does not need, may be there.

    Raises:
        ValueError: a parameter is missing, unknown or of another shape; nothing is
            changed then.
    """
    variables, names = agent.variables(), reference_names(agent)
    missing = sorted(set(names.values()) - set(params))
    unknown = sorted(set(params) - set(names.values()) - {"slowval_count/value"})
    if missing or unknown:
        raise ValueError(
            f"The parameters do not fit this agent. Missing: {missing or 'none'}. "
            f"Unknown: {unknown or 'none'}. Check spaces, layer counts and sizes."
        )
    for path, name in names.items():
        want, got = tuple(variables[path].shape), np.shape(params[name])
        if want != got:
            raise ValueError(f"Parameter '{name}' has shape {got}, expected {want}.")
    for path, name in names.items():
        variables[path].assign(np.asarray(params[name]))


def reference_spaces(entries: Mapping[str, dict]) -> dict[str, Space]:
    """Spaces from the reference's description: dtype, shape and classes by key."""
    spaces = {}
    for key, entry in entries.items():
        dtype, shape = np.dtype(entry["dtype"]), tuple(entry["shape"])
        classes = entry.get("classes")
        high = None if classes is None else classes
        spaces[key] = Space(dtype, shape, None if high is None else 0, high)
    return spaces


def reference_agent(config: Mapping, optimizer: Mapping | None = None, xla="off"):
    """An agent as a configuration of the reference describes it.

    Args:
        config: `obs_space_in_order`, `act_space_in_order`, and `agent_config` as the
            reference nests it.
        optimizer: replaces entries of its `opt` section.
        xla: see `Agent`.

    Returns:
        A fresh `Agent`, whose discrete actor mixes in no uniform distribution, as in
        the reference.

    Raises:
        ValueError: the configuration asks for an option that this project leaves out.
    """
    from dreamerv3_tf.agent.agent import Agent
    from dreamerv3_tf.agent.context import Context
    from dreamerv3_tf.agent.objective import Objective

    setup = config["agent_config"]
    check_options(setup)
    obs_space = reference_spaces(config["obs_space_in_order"])
    act_space = reference_spaces(config["act_space_in_order"])
    inputs = {key: space for key, space in obs_space.items() if key not in SIGNALS}
    model = _reference_model(setup, inputs, act_space)
    objective = Objective(
        model,
        _reference_behavior(setup, act_space),
        scales=setup["loss_scales"],
        imag_length=setup["imag_length"],
        imag_last=setup["imag_last"],
        replay_critic=setup["repval_loss"],
        replay_critic_grad=setup["repval_grad"],
        actor_critic_grads=setup["ac_grads"],
    )
    return Agent(
        obs_space,
        act_space,
        objective,
        _reference_optimizer({**setup["opt"], **(optimizer or {})}),
        Context(model, setup["replay_context"]),
        xla=xla,
    )


def check_options(setup: Mapping) -> None:
    """Raises ValueError where the reference's settings have no counterpart here."""
    for path, values in SUPPORTED.items():
        *sections, name = path.split("/")
        found = setup
        for section in sections:
            found = found.get(section, {})
        if name in found and found[name] not in values:
            raise ValueError(
                f"The reference's option {path}={found[name]} is not supported here; "
                f"expected {' or '.join(map(repr, values))}."
            )
    replay, imagined = setup["repl_loss"], setup["imag_loss"]
    for name in ("lam", "slowreg"):
        if replay[name] != imagined[name]:
            raise ValueError(
                f"The reference's options repl_loss/{name}={replay[name]} and "
                f"imag_loss/{name}={imagined[name]} differ; here they are one setting."
            )


NETS = ("dyn/rssm", "enc/simple", "dec/simple", "rewhead", "conhead", "policy", "value")

SUPPORTED = {
    "dyn/typ": ("rssm",),
    "dyn/rssm/absolute": (False,),
    "enc/typ": ("simple",),
    "enc/simple/outer": (False,),
    "dec/typ": ("simple",),
    "dec/simple/outer": (False,),
    "dec/simple/symlog": (True,),
    "rewhead/output": ("symexp_twohot",),
    "conhead/output": ("binary",),
    "value/output": ("symexp_twohot",),
    "policy_dist_disc": ("categorical",),
    "policy_dist_cont": ("bounded_normal",),
    "opt/wdregex": ("/kernel$",),
    **{f"{net}/act": ("silu", "relu", "gelu", "none") for net in NETS},
    **{f"{net}/norm": ("rms", "layer") for net in NETS},
    **{f"{net}/bias": (True,) for net in NETS},
}
"""Values of the reference's options that have a counterpart here."""


def _style(section: Mapping):
    from dreamerv3_tf.nn.style import Style

    return Style(act=section["act"], norm=section["norm"])


def _mlp(section: Mapping) -> dict:
    return {**{k: section[k] for k in ("layers", "units")}, "style": _style(section)}


def _reference_model(setup, inputs, act_space):
    from dreamerv3_tf.agent.world_model import WorldModel
    from dreamerv3_tf.nn.decoder import Decoder
    from dreamerv3_tf.nn.encoder import Encoder
    from dreamerv3_tf.nn.heads import BinaryHead, TwoHotHead
    from dreamerv3_tf.nn.rssm import RSSM

    enc, dec, rssm = (
        setup["enc"]["simple"],
        setup["dec"]["simple"],
        setup["dyn"]["rssm"],
    )
    rew, con = setup["rewhead"], setup["conhead"]
    shared = ("depth", "mults", "kernel", "strided")
    return WorldModel(
        Encoder(
            inputs,
            **{key: enc[key] for key in (*shared, "symlog")},
            **_mlp(enc),
            name="encoder",
        ),
        RSSM(
            deter=rssm["deter"],
            hidden=rssm["hidden"],
            stoch=rssm["stoch"],
            classes=rssm["classes"],
            blocks=rssm["blocks"],
            dyn_layers=rssm["dynlayers"],
            prior_layers=rssm["imglayers"],
            post_layers=rssm["obslayers"],
            unimix=rssm["unimix"],
            free_nats=rssm["free_nats"],
            style=_style(rssm),
            outscale=rssm["outscale"],
            name="rssm",
        ),
        Decoder(
            inputs,
            **{key: dec[key] for key in (*shared, "outscale")},
            **_mlp(dec),
            blocks=dec["bspace"],
            name="decoder",
        ),
        TwoHotHead(rew["bins"], _mlp(rew), rew["outscale"], name="reward"),
        BinaryHead(_mlp(con), con["outscale"], name="cont"),
        action_spaces=act_space,
        horizon=setup["horizon"],
        discount_in_cont=setup["contdisc"],
        reward_grad=setup["reward_grad"],
    )


def _reference_behavior(setup, act_space):
    from dreamerv3_tf.agent.actor_critic import ActorCritic
    from dreamerv3_tf.agent.returns import Normalizer
    from dreamerv3_tf.nn.heads import Actor, TwoHotHead

    pol, val, imag = setup["policy"], setup["value"], setup["imag_loss"]
    critics = [
        TwoHotHead(val["bins"], _mlp(val), val["outscale"], name=name)
        for name in ("critic", "slow_critic")
    ]
    norms = [
        Normalizer(
            kind=norm["impl"],
            rate=norm["rate"],
            limit=norm["limit"],
            low=norm.get("perclo", 5.0),
            high=norm.get("perchi", 95.0),
            debias=norm.get("debias", True),
            name=name,
        )
        for norm, name in (
            (setup["retnorm"], "return_norm"),
            (setup["valnorm"], "value_norm"),
            (setup["advnorm"], "advantage_norm"),
        )
    ]
    return ActorCritic(
        Actor(
            act_space,
            _mlp(pol),
            pol["outscale"],
            unimix=0.0,
            min_std=pol["minstd"],
            max_std=pol["maxstd"],
            name="actor",
        ),
        *critics,
        *norms,
        horizon=setup["horizon"],
        discount_in_cont=setup["contdisc"],
        lam=imag["lam"],
        entropy=imag["actent"],
        slow_rate=setup["slowvalue"]["rate"],
        slow_every=setup["slowvalue"]["every"],
        slow_regularizer=imag["slowreg"],
        slow_bootstrap=imag["slowtar"],
    )


def _reference_optimizer(opt):
    from dreamerv3_tf.agent.optimizers import LaProp, Schedule

    schedule = Schedule(opt["lr"], opt["warmup"], opt["schedule"], opt["anneal"])
    return LaProp(
        schedule,
        agc=opt["agc"],
        beta1=opt["beta1"],
        beta2=opt["beta2"],
        epsilon=opt["eps"],
        # The reference takes an option `momentum` and never looks at it.
        nesterov=opt.get("nesterov", False),
        decay=opt["wd"],
    )
