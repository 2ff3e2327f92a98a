"""What every logged metric means, with its unit.

A name may hold placeholders: `<key>` stands for an observation key, `<action>` for a
key of the action, `<part>` for a loss, `<section>` for a part of the loop, `<name>` for
any other name. A test compares the glossary with what a run logs.
"""

from __future__ import annotations

import difflib
import re

GLOSSARY: dict[str, str] = {
    # Episodes of the training environments.
    "episode/score": "sum of the rewards of an episode, reward units",
    "episode/length": "records of an episode, its first included: actions + 1",
    "episode/reward_rate": (
        "share of steps on which the reward changed by 0.01 or more, 0 to 1"
    ),
    "episode/score_mean10": "mean score of the last 10 training episodes, reward units",
    "episode/<key>/avg": "mean over an episode of an entry the task logs, its own unit",
    "episode/<key>/max": "largest value in an episode of such an entry, its own unit",
    "episode/<key>/sum": "sum over an episode of such an entry, its own unit",
    "episode/<name>": (
        "largest value in an episode of what the task logs as log/max/<name>; its mean "
        "over episodes is the rate of a milestone"
    ),
    "episode/video/<key>": (
        "the last episode of environment 0 as it saw it, or the end of a long one that "
        "is under way, video"
    ),
    # Evaluation, never mixed with training.
    "eval/score_mean": "mean score over the evaluation episodes, reward units",
    "eval/score_std": "standard deviation of the evaluation scores, reward units",
    "eval/score_median": "median score over the evaluation episodes, reward units",
    "eval/score_iqm": "mean of the middle half of the evaluation scores, reward units",
    "eval/score_iqm_low": "lower end of the IQM's 95 % bootstrap interval",
    "eval/score_iqm_high": "upper end of the IQM's 95 % bootstrap interval",
    "eval/score_min": "lowest evaluation score, reward units",
    "eval/score_max": "highest evaluation score, reward units",
    "eval/length_mean": "mean records of the evaluation episodes",
    "eval/episodes": "evaluation episodes that ended",
    "eval/<name>": "mean over the evaluation episodes of episode/<name>",
    "eval/video/<key>": "an evaluation episode as the agent saw it, video",
    # Losses, unscaled: means over the batch, before the weights of agent.scales.
    "loss/<key>": (
        "reconstruction of an observation key: squared error summed over its "
        "elements (symlog units for vectors), nats for discrete ones"
    ),
    "loss/rew": "reward head: cross-entropy to the two-hot reward, nats",
    "loss/con": "continue head: binary cross-entropy, nats",
    "loss/dyn": "KL that trains the prior, at least the free nats, nats",
    "loss/rep": "KL that trains the posterior, at least the free nats, nats",
    "loss/policy": "actor on imagined steps: policy gradient with entropy bonus",
    "loss/value": "critic on imagined steps, with its slow regularizer, nats",
    "loss/repval": "critic on replayed steps, with its slow regularizer, nats",
    # World model.
    "world/dyn_ent": "entropy of the prior, summed over the latent groups, nats",
    "world/rep_ent": "entropy of the posterior, summed over the latent groups, nats",
    # Behavior, over imagined steps.
    "behavior/adv": "mean normalized advantage",
    "behavior/adv_std": "standard deviation of the normalized advantage",
    "behavior/adv_mag": "mean magnitude of the normalized advantage",
    "behavior/rew": "mean predicted reward, reward units",
    "behavior/con": "mean predicted chance to continue (discounted), 0 to 1",
    "behavior/ret": "mean λ-return, normalized: (return − low) / scale",
    "behavior/val": "mean value of the critic, reward units",
    "behavior/tar": "mean target of the critic, in its normalized units",
    "behavior/weight": "mean weight of imagined steps: product of continues, 0 to 1",
    "behavior/slowval": "mean value of the slow critic, reward units",
    "behavior/ret_min": "smallest normalized λ-return",
    "behavior/ret_max": "largest normalized λ-return",
    "behavior/ret_rate": "share of normalized λ-returns of magnitude ≥ 1, 0 to 1",
    "behavior/ent/<action>": "entropy of the policy for one action key, nats",
    "behavior/rand/<action>": (
        "that entropy between the least (0) and the most (1) possible"
    ),
    # Optimizer.
    "opt/loss": "sum of all losses with their weights",
    "opt/updates": "optimizer updates since the start of the run",
    "opt/grad_norm": "global norm of the gradient, before clipping",
    "opt/grad_rms": "root mean square of the gradient's elements",
    "opt/update_rms": "root mean square of the step taken, learning rate included",
    "opt/param_rms": "root mean square of the parameters",
    "opt/param_count": "trained parameters",
    "opt/lr": "learning rate of this update, after warm-up and schedule",
    "opt/loss_scale": "factor on the loss, with float16 only",
    "opt/<part>/<name>": (
        "as opt/<name>, of the actor or the critic, where updates come in turn"
    ),
    # Replay.
    "replay/items": "start positions that can be sampled",
    "replay/steps": "steps held",
    "replay/segments": "segment files on disk",
    "replay/bytes": "disk taken by the steps, bytes",
    "replay/fill": "share of the capacity (steps or bytes) in use, 0 to 1",
    "replay/inserts": "steps added since the last write",
    "replay/samples": "sequences sampled since the last write",
    "replay/updates": "sequences whose latents were written back since the last write",
    "replay/skipped": "steps evicted before their latents were written back",
    "replay/replay_ratio": "steps replayed per step added since the last write",
    # Speed, since the last write.
    "speed/env_steps": "environment steps per second, after action repeat",
    "speed/agent_steps": "actions per second, over all environments",
    "speed/train_steps": "train steps per second",
    "speed/replayed_steps": "replayed steps trained on per second",
    # Where the time goes.
    "time/<section>/share": "share of the time in this part of the loop, 0 to 1",
    "time/<section>/mean": "mean seconds of one visit",
    "time/<section>/max": "seconds of the longest visit",
    "time/<section>/count": "visits since the last write",
    # Resources. GB are 10⁹ bytes.
    "usage/cpu_percent": "processor use of this process; 100 is one core",
    "usage/ram_gb": "resident memory of this process, GB",
    "usage/ram_peak_gb": "largest resident memory this process ever had, GB",
    "usage/workers_ram_gb": "resident memory of the environment workers, GB",
    "usage/system_cpu_percent": "processor use of the machine; 100 is all cores",
    "usage/system_ram_percent": "memory of the machine in use, percent",
    "usage/system_ram_free_gb": "memory of the machine left, GB",
    "usage/logdir_gb": "disk taken by the run, GB",
    "usage/disk_free_gb": "disk left where the run lies, GB",
    "usage/gpu_current_gb": "memory of the accelerator in use by TensorFlow, GB",
    "usage/gpu_peak_gb": "largest such memory so far, GB",
    # Progress of the run.
    "progress/env_steps": "environment steps, after action repeat",
    "progress/agent_steps": "actions over all environments",
    "progress/train_steps": "train steps",
    "progress/episodes": "training episodes that ended",
    "progress/score": "mean score so far of the episodes under way, reward units",
    "progress/<name>": "mean so far of episode/<name> over the episodes under way",
    # Reports on a batch drawn from replay for that purpose.
    "report/openloop/<key>": (
        "from top to bottom truth, prediction and error; the first half is seen "
        "(green), the rest predicted from the actions alone (red); beside it entries "
        "of a vector, where the task names some, wrong predictions in red; video"
    ),
    "report/loss/<part>": "as loss/<part>, on that batch",
    "report/world/<name>": "as world/<name>, on that batch",
    "report/behavior/<name>": "as behavior/<name>, on that batch",
    "config": "the merged configuration, text",
    "environment": "what must stand beside every score, text",
}
"""Meaning of each metric by name or pattern."""

_PLACEHOLDER = re.compile(r"<[a-z]+>")


def describe(name: str) -> str:
    """Meaning of a metric, from its own line or the most specific pattern.

    Raises:
        KeyError: the glossary has no line for it; names the nearest ones.
    """
    if name in GLOSSARY:
        return GLOSSARY[name]
    patterns = [x for x in GLOSSARY if "<" in x and _matches(x, name)]
    if patterns:
        return GLOSSARY[max(patterns, key=lambda x: len(_PLACEHOLDER.sub("", x)))]
    close = difflib.get_close_matches(name, GLOSSARY, n=3)
    hint = f" Nearest: {', '.join(close)}." if close else ""
    raise KeyError(f"Metric '{name}' is not in the glossary.{hint}")


def glossary_table() -> str:
    """The glossary as a Markdown table."""
    rows = [f"| `{name}` | {text} |" for name, text in GLOSSARY.items()]
    return "\n".join(["| metric | meaning |", "|---|---|", *rows]) + "\n"


def _matches(pattern: str, name: str) -> bool:
    parts = [re.escape(part) for part in _PLACEHOLDER.split(pattern)]
    return re.fullmatch(".+".join(parts), name) is not None
