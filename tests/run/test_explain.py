"""The mode `explain`: its text, its arithmetic, and that its probe really trains."""

import dataclasses

import pytest
from trainings import SETTINGS, settings, training

from dreamerv3_tf import main, presets
from dreamerv3_tf.envs import EnvError
from dreamerv3_tf.run import budget, explain, manifest, preflight
from dreamerv3_tf.run.device import Device
from dreamerv3_tf.run.explain import cost
from dreamerv3_tf.run.explain.probe import Speed, measure, probe, typical
from dreamerv3_tf.run.settings import Request

CPU = Device("/CPU:0", "Abacus, 2 beads", False, "float32", "off")
GIB = 1 << 30
SPEED = Speed(0.25, 0.002, 0.010, 0.004, 40, 3 * GIB, 0)


def run(*arguments, capsys):
    status = main.main(["dreamerv3", "--mode", "explain", *arguments, *SETTINGS[:4]])
    return status, capsys.readouterr().out


def test_deviations_sizes_and_cost_are_printed(capsys):
    status, out = run(
        *("--task", "dummy_disc", "--preset", "debug", "--dry_run"),
        *("run.steps=1000", "env.length=9"),
        capsys=capsys,
    )
    assert status == 0 and "hours" not in out and "Measuring" not in out
    for text in (
        "dummy_disc beside paper2025: Hafner et al. 2025",
        "ALGORITHM\n", "TRAINING BUDGET\n", "ENVIRONMENT\n", "MODEL SIZE\n",
        "  agent.imag_length = 3, the paper has 15",
        "      Imagines so many steps ahead; more see further and cost more.",
        "      Source: the paper's table of hyperparameters (configs/defaults.yaml).",
        "[configs/debug.yaml]", "[command line]",
        "MACHINE, LOGS (no matter for what is learned; in brackets the paper)",
        "log.every 5 (120)",
        "env.length = 9, the paper has 100",
        "estimate, to a factor of two",
    ):  # fmt: skip
        assert text in out, text
    assert max(len(line) for line in out.splitlines()) <= explain.WIDTH
    numbers = budget.budget(presets.load("dummy_disc", ["debug"], ["run.steps=1000"]))
    lines = [line.split() for line in out.splitlines()]
    (replayed,) = [line for line in lines if line[:2] == ["replayed", "steps"]]
    assert replayed[2] == f"{numbers.replayed_steps:,}"


@pytest.mark.parametrize(
    "change, verdict",
    [
        ("agent.lam=0.95", "All 161 values are the paper's."),
        (
            "log.every=3",
            "1 of 161 values differ, none of which changes what is learned.",
        ),
        ("agent.lam=0.9", "1 of 161 values differ; 160 are the paper's."),
    ],
)
def test_the_first_sentence_says_how_much_differs(change, verdict):
    config = presets.load("dummy_disc", (), [change], accelerator=True)
    result = explain.deviations.compare(config, "paper2025")
    text = " ".join(explain.heading(config, result).split())
    total = len(result.deviations) + result.equal
    assert text.endswith(
        verdict.replace("161", str(total)).replace("160", str(total - 1))
    )


def test_a_task_that_cannot_be_made_keeps_what_is_known(capsys, monkeypatch):
    def fail(*_, **__):
        raise EnvError("The package crafty is missing. Install crafty.")

    monkeypatch.setattr("dreamerv3_tf.run.build.build_envs", fail)
    status, out = run("--task", "dummy_disc", "agent.lam=0.5", capsys=capsys)
    assert status == 1
    assert "agent.lam = 0.5" in out and "size = 1m" not in out
    assert "train steps" in out and "checkpoints" not in out
    reason = "The package crafty is missing. Install crafty."
    assert out.endswith(f"  Bytes and hours are not known: {reason}\n")


def test_saved_runs_are_compared_with_their_own_paper(tmp_path):
    config = presets.load("dummy_disc", ["paper2023"], ["agent.lam=0.5"])
    manifest.save(tmp_path, config, command=["x"], facts={})
    request = Request(logdir=tmp_path)
    saved, names = explain.with_origin(request.config(), request)
    assert explain.deviations.chosen_paper(names) == "paper2023"
    (lam,) = explain.deviations.compare(saved, "paper2023").deviations
    assert (lam.key, lam.set_by) == ("agent.lam", "command line")


@pytest.fixture(scope="module")
def plan():
    from dreamerv3_tf.envs import make_env

    env = make_env("dummy_disc", seed=0)
    return cost.Plan(settings("run.steps=1000"), CPU, env.obs_space, env.act_space)


def test_a_planned_agent_has_the_sizes_of_a_made_one(plan):
    from dreamerv3_tf.envs import make_env
    from dreamerv3_tf.run.build import build_agent

    env = make_env("dummy_disc", seed=0)
    agent = build_agent(plan.config, CPU, env.obs_space, env.act_space)
    assert plan.parameters == sum(preflight.parameters(agent).values())
    assert plan.memory == preflight.memory(plan.config, CPU, agent)
    kept = sum(
        variable.value.shape.num_elements() for variable in agent.variables().values()
    )
    assert plan.checkpoint == pytest.approx(4 * kept, rel=0.01)


def test_bytes_by_hand(plan):
    replay, checkpoints, memory = cost.size_lines(plan, None)
    step = preflight.replay_bytes(plan.config, plan.agent, 1)
    assert preflight.readable(1000 * step) in replay
    assert preflight.readable(3 * plan.checkpoint) in checkpoints
    assert "estimate" in memory
    small = dataclasses.replace(plan.config.replay, capacity=100)
    config = dataclasses.replace(plan.config, replay=small)
    assert preflight.replay_bytes(config, plan.agent, 1000) == 100 * step
    *_, memory = cost.size_lines(plan, SPEED)
    assert memory.split()[1:3] == ["3.0", "GiB"] and "measured" in memory


def test_hours_by_hand():
    config = presets.load("dmc_walker_walk", (), ["run.steps=160000", "run.envs=16"])
    plan = budget.budget(config)
    # 10,000 turns: acting 10,000 · 2 ms = 20 s, waiting 40 s, and 60 s that learning
    # hides. Learning: a quarter of a second for each train step.
    total, learning, acting, waiting = cost.time_lines(config, SPEED)
    hours = plan.train_steps / 4 / 3600
    assert f"{hours:.1f} hours" in learning and "250 ms a train step" in learning
    assert f"{hours + 60 / 3600:.1f} hours" in total
    assert "20.0 s" in acting and "2.0 ms for 16 environments" in acting
    assert "40.0 s" in waiting and "about 60.0 s beside the learning" in waiting


def test_times_have_units():
    found = [cost.span(x) for x in (0.5, 99, 101, 5999, 6001, 99 * 3600, 240 * 3600)]
    assert found == [
        "0.5 s", "99.0 s", "1.7 min", "100.0 min", "1.7 hours", "99.0 hours",
        "10.0 days",
    ]  # fmt: skip


def test_runs_without_end_are_told_for_a_million_steps():
    config = presets.load("dummy_disc", (), ["run.steps=1e10"])
    assert cost.end_line(presets.load("dummy_disc"), made=True) == ""
    text = cost.end_line(config, made=True)
    assert "when it is stopped" in text and "every 1,000,000 agent steps" in text
    assert " 1,000,000 " in list(cost.step_lines(config, config))[1]


def test_a_busy_machine_is_told():
    assert "was busy" not in cost.remark(CPU, SPEED, 0.0)
    text = cost.remark(CPU, SPEED, 1000.0)
    assert "was busy before (1000.0 programs" in text
    assert "over 40 train steps" in text and "Abacus, 2 beads in float32" in text


def test_a_stall_of_the_machine_is_no_habit():
    # Ten times the median of 1 s: (9 · 1 + 10) / 10 = 1.9, and not (9 + 90) / 10.
    assert typical([1.0] * 9 + [90.0]) == pytest.approx(1.9)
    assert typical([1.0, 2.0, 6.0]) == pytest.approx(3.0)


def test_the_probe_trains_at_the_train_ratio_of_the_run():
    said = []
    config = settings("run.prefill=3000", "run.train_ratio=20")  # half a step a turn
    speed = probe(config, CPU, said.append, seconds=1.0)
    assert [text.split(" after")[0] for text in said] == [
        "first environment steps",
        "training begins (compiling)",
        "first train step done",
    ]
    assert speed.updates >= 1
    assert min(speed.learning, speed.acting, speed.environments) > 0
    assert speed.waiting >= 0 and speed.device_memory == 0
    assert 100e6 < speed.memory < 100e9


@pytest.mark.slow
def test_slow_learning_is_measured_by_one_train_step(tmp_path):
    with training(tmp_path) as trainer:
        speed = measure(trainer, seconds=0.0)
        # One train step to compile and one to measure; what waits for environments is
        # what learning does not hide.
        assert (speed.updates, trainer.progress.updates) == (1, 2)
        due = trainer.config.run.envs * trainer.ratio.ratio
        expected = max(0.0, speed.environments - due * speed.learning)
        assert speed.waiting == pytest.approx(expected)


@pytest.mark.slow
def test_the_whole_program_tells_hours(capsys):
    arguments = ["--task", "dummy_disc", "--preset", "debug", "log.video=false"]
    status, out = run(*arguments, capsys=capsys)
    assert status == 0
    for text in ("Measuring a short training", "a train step", "waited for", "xla off"):
        assert text in out
