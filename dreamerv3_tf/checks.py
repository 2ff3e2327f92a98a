"""Rules about settings that must fit each other; the types know the ranges of each."""

from __future__ import annotations

from typing import NamedTuple

from dreamerv3_tf import values
from dreamerv3_tf.agent_config import Agent
from dreamerv3_tf.config import Config
from dreamerv3_tf.values import ConfigError


class Rule(NamedTuple):
    """Something that must hold.

    Attributes:
        keys: settings that take part, the first is the one to change.
        holds: whether all is well.
        expected: of the first setting, for the message.
    """

    keys: tuple[str, ...]
    holds: bool
    expected: str


def check(config: Config) -> None:
    """Refuses values that do not fit each other.

    Raises:
        ConfigError: with the settings and the file or flag that set them.
    """
    for rule in (*agent_rules(config.agent), *run_rules(config)):
        if not rule.holds:
            named = "; ".join(f"{key} is {shown(config, key)}" for key in rule.keys)
            raise ConfigError(
                f"{set_by(config, rule.keys)}: {named}; expected {rule.expected}."
            )


def agent_rules(agent: Agent) -> list[Rule]:
    """Rules of the section `agent`."""
    decoder, optimizer = agent.decoder, agent.optimizer
    channels = agent.depth * (decoder.mults or (1,))[-1]
    blocks = decoder.blocks or 1
    rules = [
        Rule(
            ("agent.deter", "agent.blocks"),
            agent.cell == "dense" or agent.deter % agent.blocks == 0,
            "a deter that is a multiple of blocks",
        ),
        Rule(
            ("agent.classes",),
            2 <= agent.classes <= 256,
            "2 to 256, since replay keeps one byte",
        ),
        Rule(("agent.encoder.mults",), bool(agent.encoder.mults), "one stage or more"),
        Rule(("agent.decoder.mults",), bool(decoder.mults), "one stage or more"),
        Rule(
            ("agent.decoder.blocks", "agent.deter", "agent.depth"),
            agent.deter % blocks == 0 and channels % blocks == 0,
            f"0 or a divisor of deter and of depth times the last mult, {channels}",
        ),
        Rule(
            ("agent.actor.min_std", "agent.actor.max_std"),
            agent.actor.min_std <= agent.actor.max_std,
            "a min_std of at most max_std",
        ),
        Rule(
            ("agent.imagined_cont", "agent.discount_in_cont"),
            agent.imagined_cont == "soft" or not agent.discount_in_cont,
            "soft, or a discount_in_cont of false, since rounding loses the discount",
        ),
        *turn_rules(agent),
        Rule(
            ("agent.imag_last", "agent.replay_critic"),
            agent.imag_last != 1 or not agent.replay_critic,
            "0, or 2 steps or more, since each step aims at the next one's return",
        ),
        Rule(("agent.horizon",), agent.horizon >= 1, "at least 1 step"),
        Rule(
            ("agent.optimizer.anneal", "agent.optimizer.schedule"),
            optimizer.schedule == "const" or optimizer.anneal > optimizer.warmup,
            f"more train steps than those of the warm-up, {optimizer.warmup}",
        ),
    ]
    for name in ("return_norm", "value_norm", "advantage_norm"):
        norm, full = getattr(agent, name), f"agent.{name}"
        keys = (f"{full}.low", f"{full}.high")
        rules.append(Rule(keys, norm.low < norm.high, "a low percentile below high"))
    return rules


def turn_rules(agent: Agent) -> list[Rule]:
    """Losses of actor and critic cannot shape a world model updated before them."""
    together, reason = agent.updates == "together", "false where updates come in turn"
    return [
        Rule((f"agent.{name}", "agent.updates"), together or not value, reason)
        for name, value in (
            ("replay_critic_grad", agent.replay_critic and agent.replay_critic_grad),
            ("actor_critic_grads", agent.actor_critic_grads),
        )
    ]


def run_rules(config: Config) -> list[Rule]:
    """Rules of the other sections."""
    replay, length = config.replay, config.replay.batch_length
    total = sum(replay.mixture.values())
    return [
        Rule(
            ("replay.mixture",),
            abs(total - 1) < 1e-6,
            f"shares of sum 1, not {total:g}",
        ),
        Rule(("replay.batch_length",), length >= 2, "2 steps or more"),
        Rule(
            ("agent.imag_last", "replay.batch_length"),
            config.agent.imag_last <= length,
            "an imag_last of at most batch_length",
        ),
        Rule(
            ("log.report_length", "replay.batch_length"),
            config.log.report_length <= length,
            "a report_length of at most batch_length",
        ),
    ]


def shown(config: Config, key: str) -> str:
    """The value of a setting, or all of a dict, as text."""
    node = config.to_dict()
    for name in key.split("."):
        node = node[name]
    return values.to_text(node)


def set_by(config: Config, keys: tuple[str, ...]) -> str:
    """File or flag to look at: the command line, or one that changed a default."""
    found = [
        source
        for name, source in config.sources.items()
        if any(f"{name}.".startswith(f"{key}.") for key in keys)
    ]
    changed = [source for source in found if not source.endswith("defaults.yaml")]
    return "command line" if "command line" in found else (changed or found)[0]
