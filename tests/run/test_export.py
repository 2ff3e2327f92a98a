"""The exported policy is the agent's own, without our code.

The process that loads it has the XLA flags of this one: others round differently.
"""

import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from dreamerv3_tf import presets
from dreamerv3_tf.record import export as exporting
from dreamerv3_tf.record.export import export_policy
from dreamerv3_tf.run.build import build_agent
from dreamerv3_tf.run.device import Device
from dreamerv3_tf.run.export import export
from dreamerv3_tf.run.workers import make_envs

SEED = 7
PLAYS = (("sample", 5, 20), ("sample", 1, 100), ("mode", 5, 20))  # mode, batch, steps
CASES = {  # task, presets, changes, xla, how many plays (each costs two compilations)
    "vector": ("dummy_cont", [], ["size=1m"], "split", 3),
    "image": ("dummy_image", ["debug"], [], "split", 2),
    "mixed": ("dummy_mixed", ["debug"], [], "full", 1),
    "plain": ("dummy_mixed", ["debug"], [], "off", 3),
}

ALONE = '''
"""Plays with exported policies where TensorFlow is all that is installed."""
import importlib.machinery, sys

HIDDEN = ("keras", "tf_keras", "tensorflow_probability", "dreamerv3_tf")

class Alone:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in HIDDEN:
            return None
        return importlib.machinery.PathFinder.find_spec(name, path, target)

sys.meta_path = [
    Alone if finder is importlib.machinery.PathFinder else finder
    for finder in sys.meta_path
]
import numpy as np
import tensorflow as tf

for folder in sys.argv[1:]:
    policy, played = tf.saved_model.load(folder), {}
    given = np.load(f"{folder}/../given.npz")
    for play in sorted({name.split("/")[0] for name in given}):
        mode, batch = play.split("-")
        step = {"sample": policy.step, "mode": policy.step_mode}[mode]
        obs = {x.split("/")[2]: given[x] for x in given if x.startswith(f"{play}/obs/")}
        first, carry, actions = obs.pop("is_first"), policy.initial(int(batch)), []
        for now in range(len(first)):
            seen = {key: value[now] for key, value in obs.items()}
            action, carry = step(carry, seen, first[now])
            actions.append({key: value.numpy() for key, value in action.items()})
        for key in actions[0]:
            played[f"{play}/{key}"] = np.stack([action[key] for action in actions])
    np.savez(f"{folder}/../played.npz", **played)
loaded = [name for name in sys.modules if name.partition(".")[0] in HIDDEN]
print("OURS:", loaded)
'''


def make_agent(case: str):
    """An agent whose actions depend on what it sees."""
    task, names, changes, xla, _ = CASES[case]
    config = presets.load(task, names, [*changes, "agent.actor.outscale=1.0"])
    envs = make_envs(task, num=1, seed=0, parallel="none")
    device = Device("/CPU:0", "CPU", False, "float32", xla)
    agent = build_agent(config, device, envs.obs_space, envs.act_space)
    envs.close()
    return config, agent


def random_obs(agent, rng, batch: int, first=None) -> dict:
    """An observation of each of `batch` environments; a fifth of them start."""
    spaces = {key: agent.obs_space[key] for key in agent.model.inputs}
    obs = {key: [x.sample(rng) for _ in range(batch)] for key, x in spaces.items()}
    starts = rng.random(batch) < 0.2 if first is None else np.full(batch, first)
    return {"is_first": starts, **{key: np.stack(x) for key, x in obs.items()}}


def play(agent, mode: str, batch: int, steps: int):
    """Observations and the agent's own actions, by name, time first."""
    rng, carry = np.random.default_rng(batch), agent.initial_policy(batch)
    seen, done = [], []
    for step in range(steps):
        obs = random_obs(agent, rng, batch, first=None if step else True)
        action, _, carry = agent.policy(carry, obs, [SEED, step], mode)
        seen.append(obs)
        done.append({key: value.numpy() for key, value in action.items()})
    name = f"{mode}-{batch}"
    return (
        {f"{name}/obs/{k}": np.stack([x[k] for x in seen]) for k in seen[0]},
        {f"{name}/{k}": np.stack([x[k] for x in done]) for k in done[0]},
    )


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """Actions of the agents and of the exported policies; what the latter imported."""
    root, own, folders = tmp_path_factory.mktemp("alone"), {}, []
    for case in CASES:
        _, agent = make_agent(case)
        given, own[case] = {}, {}
        plays = PLAYS[: CASES[case][-1]]
        for setting in plays:
            seen, done = play(agent, *setting)
            given |= seen
            own[case] |= done
        modes = {mode for mode, *_ in plays}
        assert agent.traces["policy"] == len(modes), "one trace, whatever the batch"
        folders.append(export_policy(agent, root / case / "policy", seed=SEED))
        np.savez(root / case / "given.npz", **given)
    (root / "alone.py").write_text(ALONE)
    result = subprocess.run(
        [sys.executable, "-I", "alone.py", *map(str, folders)],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert result.returncode == 0, result.stderr
    theirs = {case: dict(np.load(root / case / "played.npz")) for case in CASES}
    return own, theirs, result.stdout


@pytest.mark.parametrize("case", CASES)
def test_exported_policies_act_exactly_like_the_agent(played, case):
    own, theirs, _ = played
    assert own[case].keys() == theirs[case].keys()
    for name, actions in own[case].items():
        assert actions[:, 0].size >= 20 and len(np.unique(actions)) > 1, name
        np.testing.assert_array_equal(theirs[case][name], actions, name)


def test_an_agent_acts_the_same_with_and_without_xla(played):
    # Same settings, seeds and observations; random numbers do not depend on XLA.
    own, _, _ = played
    for name, actions in own["mixed"].items():
        np.testing.assert_allclose(actions, own["plain"][name], rtol=0, atol=1e-4)


def test_they_load_where_tensorflow_is_alone(played):
    _, _, output = played
    assert output.splitlines()[-1] == "OURS: []"


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """An agent without XLA, its configuration, the folder of its policy, the policy."""
    config, agent = make_agent("plain")
    logdir = tmp_path_factory.mktemp("run")
    folder = export(config, agent, logdir, 1234)
    assert folder == logdir / "export" / "1234"
    return config, agent, folder, tf.saved_model.load(str(folder))


def same(left, right) -> bool:
    return all(np.array_equal(left[key], right[key]) for key in left)


def test_the_same_carry_gives_the_same_action_and_another_seed_another(plain):
    _, agent, _, policy = plain
    obs = random_obs(agent, np.random.default_rng(0), 8)
    first = obs.pop("is_first")
    carry = policy.initial(8)
    action, after = policy.step(carry, obs, first)
    again, _ = policy.step(carry, obs, first)
    assert same(action, again)
    np.testing.assert_array_equal(after["seed"], [[0, 1]] * 8)
    other, _ = policy.step({**carry, "seed": [[5, 0]] * 8}, obs, first)
    assert not same(action, other)


def test_a_new_episode_forgets_the_carry(plain):
    _, agent, _, policy = plain
    rng, carry = np.random.default_rng(0), policy.initial(3)
    obs = random_obs(agent, rng, 3)
    del obs["is_first"]
    _, used = policy.step(carry, obs, [True] * 3)
    used = {**used, "seed": carry["seed"]}
    assert same(*(policy.step(x, obs, [True] * 3)[0] for x in (used, carry)))
    assert not same(*(policy.step(x, obs, [False] * 3)[0] for x in (used, carry)))


def test_signatures_do_what_the_functions_do(plain):
    _, agent, folder, policy = plain
    obs = random_obs(agent, np.random.default_rng(0), 2)
    first = obs.pop("is_first")
    carry = policy.signatures["initial"](batch=tf.constant(2))
    flat = {f"obs_{key}": tf.constant(value) for key, value in obs.items()}
    flat = {**flat, **carry, "is_first": tf.constant(first)}
    metadata = json.loads((folder / "metadata.json").read_text())
    for name in ("step_sample", "step_mode"):
        action, after = getattr(policy, name)(carry, obs, first)
        result = policy.signatures[name](**flat)
        described = metadata["signatures"][name]
        assert sorted(described["inputs"]) == sorted(flat)
        assert sorted(described["outputs"]) == sorted(result)
        assert same({f"action_{key}": x for key, x in action.items()} | after, result)


@pytest.mark.parametrize("mode", ["sample", "mode"])
def test_the_default_is_the_mode_that_was_asked_for(plain, tmp_path, mode):
    _, agent, _, _ = plain
    policy = tf.saved_model.load(str(export_policy(agent, tmp_path / "x", mode=mode)))
    obs = random_obs(agent, np.random.default_rng(0), 6)
    first = obs.pop("is_first")
    carry = policy.initial(6)
    asked, _ = policy.step(carry, obs, first)
    results = {
        name: same(asked, getattr(policy, f"step_{name}")(carry, obs, first)[0])
        for name in ("sample", "mode")
    }
    assert results == {"sample": mode == "sample", "mode": mode == "mode"}


def test_metadata_describes_spaces_and_preprocessing(plain):
    config, agent, folder, _ = plain
    found = json.loads((folder / "metadata.json").read_text())
    assert found["task"] == "dummy_mixed" and found["agent_steps"] == 1234
    assert found["train_steps"] == 0 and found["seed"] == config.seed
    assert found["mode"] == "sample" and found["precision"] == "float32"
    assert found["observation"].keys() == agent.model.inputs.keys()
    assert found["action"].keys() == agent.act_space.keys()
    assert found["observation"]["image"] == {
        "tensor": "obs_image",
        "dtype": "uint8",
        "shape": [64, 64, 3],
        "kind": "image",
        "low": 0,
        "high": 256,
        "high_is_exclusive": True,
        "preprocessing": "x / 255 - 0.5",
    }
    assert found["observation"]["count"]["low"] == 0.0
    assert found["observation"]["count"]["high"] is None, "infinite"
    assert found["action"]["act_multi"]["classes"] == [2, 3, 4]
    assert found["action"]["act_cont"]["high"] == 1.0
    assert found["versions"]["tensorflow"] == tf.__version__


def test_an_export_replaces_one_but_nothing_else(plain, tmp_path):
    _, agent, _, _ = plain
    folder = tmp_path / "policy"
    for seed in (1, 2):
        export_policy(agent, folder, seed=seed)
        assert json.loads((folder / "metadata.json").read_text())["seed"] == seed
    assert [path.name for path in tmp_path.iterdir()] == ["policy"]
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(FileExistsError, match="no exported policy"):
        export_policy(agent, other)


def test_a_failed_export_leaves_the_earlier_one(plain, tmp_path, monkeypatch):
    _, agent, _, _ = plain
    folder = export_policy(agent, tmp_path / "policy", seed=1)

    def full(_):
        raise OSError("No space left on device")

    monkeypatch.setattr(exporting, "describe", full)
    with pytest.raises(OSError, match="No space"):
        export_policy(agent, folder, seed=2)
    assert [path.name for path in tmp_path.iterdir()] == ["policy"]
    assert json.loads((folder / "metadata.json").read_text())["seed"] == 1


def test_wrong_arguments_are_refused(plain, tmp_path):
    _, agent, _, _ = plain
    with pytest.raises(
        ValueError, match="mode is 'best', expected one of sample, mode"
    ):
        export_policy(agent, tmp_path / "x", mode="best")
    with pytest.raises(ValueError, match="mode is 'best', expected 'sample' or 'mode'"):
        agent.policy_function("best")
    with pytest.raises(ValueError, match="differ in punctuation only"):
        exporting.named("obs", ["a/b", "a.b"])
    assert exporting.named("obs", ["a/b"]) == {"a/b": "obs_a_b"}
