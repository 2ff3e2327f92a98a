"""The parts of a step: which functions of the project belong to which part.

Every function in `MARKS` runs in a name scope of its part while TensorFlow traces the
step. The names of all operations hold these scopes, in the graph, in XLA's compiled
code and in their gradients, so each operation tells which part it is of.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import re
from collections.abc import Iterator
from typing import Any

TITLES = {
    "noise": "random numbers",
    "context": "replay context",
    "encoder": "encoder",
    "observe": "observe loop",
    "prior": "prior and KL",
    "decoder": "decoder",
    "heads": "reward and continue heads",
    "imagination": "imagination",
    "judge": "predictions along imagination",
    "returns": "returns and normalisers",
    "actor": "actor",
    "critic": "critic",
    "replayed": "critic on replayed states",
    "optimizer": "optimizer",
    "slow": "slow critic",
    "rest": "other operations",
    "fetch": "device to host",
    "dispatch": "between operations",
    "python": "Python",
}
"""Name and title of each part, in the order in which a step goes through them.

`dispatch` is time in which TensorFlow runs a step but none of its operations: choosing
the next ones, waking threads; `python` is what is left outside of that. A mark inside
another one's function counts for itself, so `heads` is what is left of the world
model's losses, `actor` what is left of the losses of imagination, and `critic` the
critic's own pass over the imagined states and its loss.
"""

AGENT = "dreamerv3_tf.agent"
TRAIN = {
    "noise": ["agent._noise_for"],
    "context": ["agent.context.split", "agent.context.store"],
    "encoder": [
        "agent.model.tokens",
        "agent.model.encoder.embed_images",
    ],
    "observe": ["agent.model.rssm.observe"],
    "prior": ["agent.model.rssm.losses"],
    "decoder": [
        "agent.model.decoder.vector_means",
        "agent.model.decoder.vector_losses",
        "agent.model.image_losses",
    ],
    "heads": ["agent.model.learn"],
    "imagination": [f"{AGENT}.objective:imagine"],
    "judge": ["agent.objective._judge"],
    "returns": [
        f"{AGENT}.actor_critic:lambda_return",
        "agent.behavior.return_norm.update",
        "agent.behavior.value_norm.update",
        "agent.behavior.advantage_norm.update",
    ],
    "actor": ["agent.behavior.imagined_losses"],
    "critic": ["agent.objective.behave", "agent.behavior._critic_loss"],
    "replayed": ["agent.objective._replay_loss"],
    "optimizer": ["agent.updater.apply", "agent.turns.*.apply"],
    "slow": ["agent.behavior.follow_critic"],
}
POLICY = {
    "noise": ["agent.noise.policy"],
    "context": ["agent.context.store"],
    "encoder": ["agent.model.tokens"],
    "observe": ["agent.model.rssm.observe_step"],
    "actor": [f"{AGENT}.agent:choose"],
}
MARKS = {"train": TRAIN, "policy": POLICY}
"""Functions of each part by step: `agent.…` of the agent, or `module:name`."""

LAYERS = {"actor": re.compile(r"(^|/)actor(_\d+)?/")}
"""Parts that a Keras layer's own scope tells where there is no mark."""

MARK = re.compile(r"part\.([a-z]+)")
BACKWARD = "gradient_tape/"


def find_part(name: str) -> str | None:
    """The part that the name of an operation tells: its innermost mark."""
    marks = MARK.findall(name)
    if marks:
        return marks[-1]
    found = [part for part, pattern in LAYERS.items() if pattern.search(name)]
    return found[0] if found else None


def is_backward(name: str) -> bool:
    """Whether an operation computes a gradient, by its name."""
    return BACKWARD in name


@contextlib.contextmanager
def marked(agent, step: str) -> Iterator[dict[str, str]]:
    """While it lasts, the functions of all parts run in their name scopes.

    Gives a dict, filled when it ends: where the operations of the traced graph come
    from that have no mark in their names. Sums of gradients and what a custom gradient
    does have none; they count for the part of the operation made before them.

    Args:
        agent: of which functions are looked up.
        step: a key of `MARKS`.

    Raises:
        AttributeError: the project has no such function any more.
    """
    graphs: list[Any] = []
    origins: dict[str, str] = {}
    with contextlib.ExitStack() as stack:
        for part, places in MARKS[step].items():
            for place in places:
                for owner, name in find_owners(agent, place):
                    stack.enter_context(replaced(owner, name, scoped(part, graphs)))
        yield origins
    for graph in graphs:
        if not hasattr(graph, "outer_graph") or graph.outer_graph.building_function:
            continue  # an inner one; what XLA compiles tells its names itself
        origins.update(find_origins([op.name for op in graph.get_operations()]))


def find_origins(names: list[str]) -> dict[str, str]:
    """For each name without a mark, itself and the last one before that has one."""
    origins, last = {}, ""
    for name in names:
        if find_part(name):
            last = name
        elif last:
            origins[name] = f"{name} in {last}"
    return origins


def find_owners(agent, place: str) -> list[tuple[Any, str]]:
    """Pairs of owner and attribute; several where the place has a `*`, a dict's all."""
    if ":" in place:
        module, _, name = place.partition(":")
        return [(importlib.import_module(module), name)]
    _, *path, name = place.split(".")
    owners = [agent]
    for step in path:
        if step == "*":
            owners = [value for owner in owners for value in owner.values()]
        else:
            owners = [getattr(owner, step) for owner in owners]
    return [(owner, name) for owner in owners]


def scoped(part: str, graphs: list):
    """A decorator: the function runs in the name scope of a part.

    Args:
        part: the part.
        graphs: gets the graphs that the function is traced into.
    """
    import tensorflow as tf

    def decorate(function):
        @functools.wraps(function)
        def call(*args, **kwargs):
            graph = tf.compat.v1.get_default_graph()
            if all(graph is not other for other in graphs):
                graphs.append(graph)
            with tf.name_scope(f"part.{part}"):
                return function(*args, **kwargs)

        return call

    return decorate


@contextlib.contextmanager
def replaced(owner, name: str, decorate) -> Iterator[None]:
    """While it lasts, the attribute is the decorated one."""
    own = name in vars(owner)
    before = getattr(owner, name)
    setattr(owner, name, decorate(before))
    try:
        yield
    finally:
        if own:
            setattr(owner, name, before)
        else:
            delattr(owner, name)  # the class has it
