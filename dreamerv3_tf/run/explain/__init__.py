"""The mode `explain`: how a run differs from a paper, and what it will cost."""

from __future__ import annotations

import dataclasses
import pathlib
import textwrap
from collections.abc import Sequence
from typing import Any

import psutil

from dreamerv3_tf import values
from dreamerv3_tf.config import Config
from dreamerv3_tf.envs.hooks import env_facts, in_words, prepare_env
from dreamerv3_tf.run import device as devices
from dreamerv3_tf.run import launch, manifest
from dreamerv3_tf.run.explain import deviations
from dreamerv3_tf.run.explain.deviations import GROUPS, PAPERS, Comparison, Deviation
from dreamerv3_tf.run.settings import Request
from dreamerv3_tf.values import ConfigError

WIDTH = 88
SIZE, ASIDE = GROUPS[-2:]


def explain_run(config: Config, request: Request, *, measure: bool = True) -> int:
    """Prints what deviates from a paper and what the run costs; returns the status.

    The first part needs neither TensorFlow nor the task's environment. Where that can't
    be made the status is 1, and what needs it is left out.

    Args:
        config: the settings.
        request: what was asked for; the last paper among its presets is compared with.
        measure: train for a moment, to tell hours.
    """
    config, names = with_origin(config, request)
    comparison = deviations.compare(
        config, deviations.chosen_paper(names), request.configs
    )
    print(heading(config, comparison), flush=True)
    for group in GROUPS[:-2]:
        print_group(group, comparison)
    with launch.quiet_start():
        device = devices.set_up(config.compute)
        from dreamerv3_tf.run.explain import cost
    try:
        plans = plan_agents(config, comparison.paper, device)
    except ConfigError as error:
        print_group(SIZE, comparison)
        print_aside(comparison)
        print_cost(config, comparison.paper, made=False)
        print_wrapped(f"Bytes and hours are not known: {error}")
        return 1
    here, paper = plans
    counts = (
        f"{here.parameters:,} parameters; the paper's size has {paper.parameters:,}."
    )
    print_group(SIZE, comparison, counts)
    print_aside(comparison)
    speed, load = None, psutil.getloadavg()[0]
    if measure:
        speed = measured(config, device)
    print_cost(config, comparison.paper, made=True)
    print_lines(cost.size_lines(here, speed))
    if speed:
        print_lines(cost.time_lines(config, speed))
        print_wrapped(cost.remark(device, speed, load))
    return 0


def with_origin(config: Config, request: Request) -> tuple[Config, list[str]]:
    """The configuration with the files behind it, and the presets it was made of.

    A saved run has its values from its own folder; its manifest knows their files.
    """
    names = list(request.presets)
    if request.task or not request.logdir:
        return config, names
    logdir = pathlib.Path(request.logdir).expanduser()
    starts = manifest.read(logdir)
    saved = str(logdir / manifest.CONFIG)
    first = starts[-1]["sources"] if starts else {}
    sources = {
        key: first.get(key, place) if place == saved else place
        for key, place in config.sources.items()
    }
    files = [pathlib.PurePath(place).stem for place in first.values()]
    found = [name for name in PAPERS if name in files]
    return dataclasses.replace(config, sources=sources), [*found[:1], *names]


def plan_agents(config: Config, paper: Config, device: devices.Device):
    """The agents of the run and of the paper, for the run's environment.

    Raises:
        ConfigError: it can't be made, or the agents don't fit it.
    """
    from dreamerv3_tf.run.build import build_envs
    from dreamerv3_tf.run.explain.cost import Plan

    one = dataclasses.replace(config, run=dataclasses.replace(config.run, eval_envs=1))
    with launch.plain_errors():
        prepare_env(config.task, config.env, lambda text: print(text, flush=True))
        envs = build_envs(one, evaluation=True)
        spaces = envs.obs_space, envs.act_space
        envs.close()
    return [Plan(some, device, *spaces) for some in (config, paper)]


def measured(config: Config, device: devices.Device):
    """The speed of a short training."""
    from dreamerv3_tf.run.explain.probe import probe

    print("\nMeasuring a short training, about a minute:", flush=True)
    with launch.plain_errors():
        return probe(config, device, lambda text: print(f"  {text}", flush=True))


def heading(config: Config, comparison: Comparison) -> str:
    """What is compared with what, and how much differs."""
    count = len(comparison.deviations)
    total = count + comparison.equal
    matters = [d for d in comparison.deviations if d.group != ASIDE]
    if not count:
        verdict = f"All {total} values are the paper's."
    elif not matters:
        verdict = (
            f"{count} of {total} values differ, none of which changes what is learned."
        )
    else:
        verdict = (
            f"{count} of {total} values differ; {comparison.equal} are the paper's."
        )
    text = (
        f"{config.task} beside {comparison.name}: {PAPERS[comparison.name]}. {verdict}"
    )
    facts = in_words(env_facts(config.task, config.env))
    return "\n".join(wrap(some) for some in (text, facts) if some)


def print_group(group: str, comparison: Comparison, remark: str = "") -> None:
    """Prints the deviations of a group, where it has any."""
    found = [d for d in comparison.deviations if d.group == group]
    if not found:
        return
    print(f"\n{group.upper()}")
    for deviation in found:
        print(entry(deviation, remark if deviation.key == "size" else ""))


def entry(deviation: Deviation, remark: str = "") -> str:
    """A deviation in a few lines."""
    note = deviation.note
    here, paper = shown(deviation.here), shown(deviation.paper)
    title = f"  {deviation.key} = {here}, the paper has {paper}"
    place = f"[{deviation.set_by}]"
    lines = [f"{title}{place:>{max(len(place) + 2, WIDTH - len(title))}}"]
    lines.append(wrap(" ".join(filter(None, (note.does, remark))), 6))
    if note.enters:
        lines.append(wrap(note.enters, 6))
    lines.append(wrap(f"Source: {deviation.source}.", 6))
    return "\n".join(lines)


def print_aside(comparison: Comparison) -> None:
    """Prints what does not change what is learned, in short."""
    found = [d for d in comparison.deviations if d.group == ASIDE]
    if not found:
        return
    print(f"\n{ASIDE.upper()} (no matter for what is learned; in brackets the paper)")
    pairs = [f"{d.key} {shown(d.here)} ({shown(d.paper)})" for d in found]
    print(wrap(", ".join(pairs), 2))


def print_cost(config: Config, paper: Config, made: bool) -> None:
    """Prints how much the run does."""
    from dreamerv3_tf.run.explain import cost

    print("\nCOST")
    if end := cost.end_line(config, made):
        print(wrap(end, 2))
    print_lines(cost.step_lines(config, paper))


def print_lines(lines) -> None:
    """Prints lines of a table."""
    for line in lines:
        print(f"  {line}".rstrip(), flush=True)


def print_wrapped(text: str) -> None:
    """Prints a paragraph."""
    print(wrap(text, 2), flush=True)


def wrap(text: str, indent: int = 0) -> str:
    """Text of at most `WIDTH` columns."""
    space = " " * indent
    options: dict[str, Any] = {"initial_indent": space, "subsequent_indent": space}
    return textwrap.fill(text, WIDTH, break_on_hyphens=False, **options)


def shown(value: Any) -> str:
    """A value as people write it."""
    if isinstance(value, bool):
        return values.to_text(value)
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(shown(item) for item in value) + "]"
    return str(value)
