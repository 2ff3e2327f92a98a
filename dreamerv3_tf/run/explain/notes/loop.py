"""Notes of the settings around the agent: replay, loop, machine, logs."""

from __future__ import annotations

from dreamerv3_tf.run.explain.notes import equations as eq
from dreamerv3_tf.run.explain.notes.note import BOTH, OURS, Note

RUN: dict[str, Note] = {
    "task": Note("Names what is learned."),
    "seed": Note("Draws other random numbers; nothing else changes.", "", OURS),
    "size": Note("Sets all widths of the networks together.", "", BOTH),
    "paper_size": Note("Says which size the paper has for the task.", "", BOTH),
    "cpu_size": Note("Says which size a run on a CPU takes by itself.", "", OURS),
    "run.steps": Note("Ends the run after so many actions of all environments."),
    "run.train_ratio": Note(
        "Learns more from each action the higher it is: better scores for the same "
        "experience, at more computation.",
        eq.RATIO,
    ),
    "run.envs": Note(
        "Acts in more environments at once: faster, and the policy that acts is older."
    ),
    "run.eval_envs": Note("Evaluates in so many environments at once."),
    "run.prefill": Note(
        "Lets learning begin once so many sequences can be drawn; fewer are learned by "
        "heart at first.",
        eq.DRAWN,
    ),
    "run.prefill_policy": Note(
        "Lets the untrained agent act until learning begins, or random actions."
    ),
    "run.parallel": Note(
        "Steps environments in processes, threads or one by one.", "", OURS
    ),
}

REPLAY: dict[str, Note] = {
    "replay.capacity": Note(
        "Keeps so many steps, then forgets the oldest; more takes more disk.",
        eq.DRAWN,
        BOTH,
    ),
    "replay.capacity_bytes": Note(
        "Keeps so much on disk instead, then forgets the oldest.", eq.DRAWN, OURS
    ),
    "replay.batch_size": Note(
        "Averages a gradient over so many sequences; with the same train ratio, "
        "fewer mean more and noisier updates.",
        eq.RATIO,
        BOTH,
    ),
    "replay.batch_length": Note(
        "Learns from sequences this long; longer ones teach longer memories.",
        eq.RATIO,
        BOTH,
    ),
    "replay.context": Note(
        "Begins sequences with the latents that replay kept of the step before, "
        "instead of as if an episode began.",
        eq.CELL,
    ),
    "replay.online": Note(
        "Draws each fresh sequence once before any other, so none is missed.", eq.DRAWN
    ),
    "replay.mixture.uniform": Note(
        "Draws this share of sequences with equal chances.", eq.DRAWN
    ),
    "replay.mixture.priority": Note(
        "Draws this share of sequences by their priority.", eq.DRAWN
    ),
    "replay.mixture.recency": Note(
        "Draws this share of sequences by how new they are.", eq.DRAWN
    ),
    "replay.recency_exponent": Note(
        "Prefers new sequences more the higher it is.", "chance ~ age^-exponent"
    ),
    "replay.priority.exponent": Note(
        "Prefers sequences of high priority more the higher it is.",
        "priority = signal^exponent",
    ),
    "replay.priority.max_fraction": Note(
        "Judges a sequence by its best step (1) or by their mean (0).",
        "priority = fraction max + (1 - fraction) mean",
    ),
    "replay.priority.initial": Note(
        "Gives new steps this priority; infinity draws them first.", eq.DRAWN
    ),
    "replay.priority.zero_on_sample": Note(
        "Draws no step again before its priority is known anew.", eq.DRAWN
    ),
    "replay.deter_bytes": Note(
        "Keeps recurrent units in 2 or 4 bytes: disk against precision.", eq.CELL, OURS
    ),
}

MACHINE: dict[str, Note] = {
    "compute.precision": Note("Computes in 32 bits, or faster in 16."),
    "compute.half": Note(
        "Says which 16 bits: float16 is finer and needs its loss scaled."
    ),
    "compute.xla": Note("Compiles more or less of the program: slower start, faster."),
    "compute.device": Note("Computes on the CPU or on an accelerator.", "", OURS),
    "compute.threads": Note("Takes so many threads of the CPU; 0 all.", "", OURS),
    "compute.deterministic": Note(
        "Gives the same numbers for the same seed, a little slower.", "", OURS
    ),
    "log.every": Note("Writes metrics every so many seconds."),
    "log.report_every": Note("Writes open-loop reports every so many seconds."),
    "log.save_every": Note("Saves a checkpoint every so many seconds."),
    "log.keep": Note("Keeps so many checkpoints.", "", OURS),
    "log.video": Note("Writes videos.", "", OURS),
    "log.outputs": Note("Writes to these places.", "", OURS),
    "log.report_batches": Note("Averages a report over so many batches."),
    "log.report_length": Note("Reports on sequences this long."),
    "eval.episodes": Note("Evaluates over so many episodes.", "", OURS),
    "eval.every": Note("Evaluates every so many agent steps.", "", OURS),
    "eval.mode": Note("Evaluates with sampled or with the likeliest actions."),
    "eval.video": Note("Writes videos of evaluations.", "", OURS),
    "export.mode": Note("Exports a policy that samples or takes the likeliest."),
    "export.tf_agents": Note("Exports for TF-Agents too.", "", OURS),
}

NOTES: dict[str, Note] = {**RUN, **REPLAY, **MACHINE}
"""Notes by full name of the setting."""
