"""What a uniformly random policy reaches in the Minecraft task: the baseline of scores.

    python tools/minecraft_random.py [--episodes 32] [--length 36000] [--json FILE]
        [section.key=value ...]

Prints a line for each episode and the means; `env.backend` is `voxel` unless set.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import json
import multiprocessing
import os
import pathlib
import sys
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from dreamerv3_tf import envs, presets  # noqa: E402
from dreamerv3_tf.envs import hooks  # noqa: E402
from dreamerv3_tf.envs.minecraft.vectors import INDEX, MILESTONES  # noqa: E402


def play(task: str, seed: int, settings: dict[str, Any]) -> dict[str, Any]:
    """One episode with random actions.

    Returns:
        `seed`, `score` (sum of rewards), `steps`, `died`, and for each milestone the
        step at which it was reached, `None` where it was not.
    """
    env = envs.make_env(task, seed=seed, **settings)
    rng = np.random.default_rng(seed)
    count = int(np.asarray(env.act_space["action"].high))
    obs, score, steps = env.reset(), 0.0, 0
    places = [INDEX[name] for name in MILESTONES]
    reached: dict[str, int | None] = dict.fromkeys(MILESTONES)
    while not obs["is_last"]:
        obs = env.step({"action": np.int32(rng.integers(count))})
        score, steps = score + float(obs["reward"]), steps + 1
        for name, held in zip(MILESTONES, obs["inventory_max"][places], strict=True):
            if held and reached[name] is None:
                reached[name] = steps
    env.close()
    died = bool(obs["is_terminal"])
    return {"seed": seed, "score": score, "steps": steps, "died": died, **reached}


def summary(results: list[dict[str, Any]]) -> dict[str, float]:
    """Means over the episodes, and the share of them that reached each milestone."""
    scores = np.array([result["score"] for result in results])
    rates = {
        name: float(np.mean([result[name] is not None for result in results]))
        for name in MILESTONES
    }
    return {
        "episodes": float(len(results)),
        "score_mean": float(scores.mean()),
        "score_error": float(scores.std(ddof=1) / len(scores) ** 0.5)
        if len(scores) > 1
        else 0.0,
        "score_min": float(scores.min()),
        "score_max": float(scores.max()),
        "steps_mean": float(np.mean([result["steps"] for result in results])),
        "died": float(np.mean([result["died"] for result in results])),
        **{f"rate_{name}": rate for name, rate in rates.items() if rate},
    }


def main(argv: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--task", default="minecraft_diamond")
    parser.add_argument("--episodes", type=int, default=32)
    parser.add_argument("--first", type=int, default=0, help="seed of the first one")
    parser.add_argument("--length", type=int, default=36000, help="steps at most")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", type=pathlib.Path, help="file to write")
    parser.add_argument("settings", nargs="*", help="env.key=value")
    asked = parser.parse_args(argv)
    settings = presets.load(asked.task, (), asked.settings).env
    settings = {**settings, "length": asked.length}
    print(hooks.in_words(hooks.env_facts(asked.task, settings)))
    hooks.prepare_env(asked.task, settings, print)
    seeds = range(asked.first, asked.first + asked.episodes)
    results = []
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(asked.processes, context) as pool:
        jobs = [pool.submit(play, asked.task, seed, settings) for seed in seeds]
        for job in jobs:
            result = job.result()
            results.append(result)
            names = [n for n in MILESTONES if result[n] is not None]
            end = "died" if result["died"] else "alive"
            print(
                f"seed {result['seed']:4d}  score {result['score']:7.4f}  "
                f"steps {result['steps']:6,}  {end:5}  "
                f"{', '.join(names) or '-'}",
                flush=True,
            )
    numbers = summary(results)
    print("  ".join(f"{name} {value:.3f}" for name, value in numbers.items()))
    if asked.json:
        text = json.dumps({"summary": numbers, "episodes": results}, indent=2)
        asked.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
