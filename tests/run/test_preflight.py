"""Sizes that are told before a run begins."""

import numpy as np
import pytest
from trainings import settings

from dreamerv3_tf.envs import make_env
from dreamerv3_tf.run import preflight
from dreamerv3_tf.run.build import build_agent, build_replay
from dreamerv3_tf.run.device import Device

CPU = Device("/CPU:0", "Abacus, 2 beads", False, "float32", "off")


def build(*changes, task="dummy_disc"):
    config = settings(*changes, task=task)
    env = make_env(task, seed=0)
    return config, build_agent(config, CPU, env.obs_space, env.act_space)


def test_parameters_are_counted_by_part():
    _, agent = build()
    counts = preflight.parameters(agent)
    assert list(counts) == [
        "encoder", "rssm", "decoder", "reward", "cont", "actor", "critic"
    ]  # fmt: skip
    # Two dense layers with RMS norm: feat 8 + 2 · 4 = 16 → 8 → 5 bins.
    # 16 · 8 + 8 + 8 (norm) + 8 · 5 + 5 = 189
    assert counts["critic"] == counts["reward"] == 189
    trained = sum(w.value.shape.num_elements() for w in agent.updater.variables)
    assert sum(counts.values()) == trained


def test_memory_of_weights_and_optimizer_is_exact():
    config, agent = build()
    found = preflight.memory(config, CPU, agent)
    count = sum(preflight.parameters(agent).values())
    # The slow critic, two numbers of return_norm, and what normalisers count.
    assert 0 <= found["parameters"] - 4 * (count + 189) < 100
    assert 0 <= found["optimizer"] - 8 * count < 50  # step, rate and the like
    assert found["gradients"] == 4 * count


def test_memory_of_the_replay_is_what_it_takes_on_disk(tmp_path):
    config, agent = build("replay.capacity=20000", "run.envs=100")
    replay = build_replay(config, agent, tmp_path)
    step = {key: np.zeros((100, *x.shape), x.dtype) for key, x in replay.spaces.items()}
    for _ in range(200):
        replay.add(step)
    found = preflight.memory(config, CPU, agent)["replay (disk)"]
    assert found == pytest.approx(replay.stats()["bytes"], rel=0.1)
    replay.close()


def test_a_limit_of_bytes_limits_the_replay():
    config, agent = build("replay.capacity_bytes=1MB")
    assert preflight.memory(config, CPU, agent)["replay (disk)"] == 1_000_000


def test_the_estimate_grows_with_batch_horizon_and_pictures():
    config, agent = build()
    sizes = [preflight.activations(config, agent, "off")]
    for changes in (["replay.batch_size=8"], ["agent.imag_length=7"]):
        sizes.append(preflight.activations(*build(*changes), "off"))
    assert sizes[1] == 2 * sizes[0] and sizes[0] < sizes[2] < 2 * sizes[0]
    pictures = build("replay.batch_size=128", task="dummy_image")
    whole, some = (preflight.activations(*pictures, xla) for xla in ("off", "split"))
    assert whole > 5 * sizes[1] and some < whole


def test_the_compiler_takes_memory_too():
    config, agent = build()
    split = CPU._replace(xla="split")
    off, on = (preflight.memory(config, x, agent)["program"] for x in (CPU, split))
    assert on - off == preflight.COMPILER


def test_the_text_says_what_is_estimated():
    text = preflight.text(*(lambda config, agent: (config, CPU, agent))(*build()))
    assert text.splitlines()[0] == "device        Abacus, 2 beads, float32, xla off"
    lines = {line.split("  ")[0]: line for line in text.splitlines()}
    for name in ("train step", "program"):
        assert lines[name].endswith("estimate, to a factor of two")
    assert "estimate" not in lines["optimizer"] and "189 parameters" in lines["critic"]


def test_sizes_have_units():
    sizes = [12, 3 << 10, 5 << 20, 7 << 30, 9 << 40]
    assert [preflight.readable(x) for x in sizes] == [
        "12.0 B", "3.0 KiB", "5.0 MiB", "7.0 GiB", "9,216.0 GiB"
    ]  # fmt: skip
