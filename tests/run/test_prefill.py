"""Random actions before training begins."""

import types

import numpy as np
import trainings

from dreamerv3_tf.run.prefill import RandomFirst, draw_allowed
from dreamerv3_tf.spaces import Space
from dreamerv3_tf.structs import PolicyCarry

ACT = {
    "turn": Space(np.dtype(np.float32), (2,), -1, 3),
    "press": Space(np.dtype(np.int32), (), 0, 4),
}


def random_first(over):
    """A policy that acts by zeros behind random actions; and the carries it got."""
    carries = []

    def policy(carry, *_):
        carries.append(carry)
        zeros = {k: np.zeros((3, *x.shape), x.dtype) for k, x in ACT.items()}
        return zeros, {}, PolicyCarry("latent", zeros)

    model = types.SimpleNamespace(seen_masks=lambda _: {})
    agent = types.SimpleNamespace(act_space=ACT, model=model)
    return RandomFirst(policy, agent, 7, over), carries


OBS = {"is_first": np.zeros(3, bool)}


def test_actions_are_uniform_in_their_spaces_and_the_model_sees_them():
    first, _ = random_first(lambda: False)
    turns, presses = [], []
    for index in range(300):
        action, _, carry = first(None, OBS, index)
        turns.append(action["turn"])
        presses.append(action["press"])
        for key, value in action.items():
            np.testing.assert_array_equal(carry.action[key], value)
            assert value.dtype == ACT[key].dtype
    turns, presses = np.concatenate(turns), np.concatenate(presses)
    # 1800 numbers in [-1, 3]: mean 1, standard error 4 / √12 / √1800 = 0.027.
    assert (
        abs(turns.mean() - 1) < 0.14 and -1 <= turns.min() < -0.9 and turns.max() > 2.9
    )
    # 900 draws of 4: 225 each, standard error √(900 · 3/16) = 13.
    assert np.abs(np.bincount(presses, minlength=4) - 225).max() < 65


def test_the_same_seed_and_call_give_the_same_actions():
    runs = [random_first(lambda: False)[0] for _ in range(2)]
    one, two = (run(None, OBS, 5)[0]["turn"] for run in runs)
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, runs[0](None, OBS, 6)[0]["turn"])


def test_the_policy_takes_over():
    first, carries = random_first(lambda: True)
    action, _, carry = first("before", OBS, 0)
    assert not action["turn"].any() and carries == ["before"]
    assert carry.action is action


def test_only_allowed_actions_are_drawn():
    rng = np.random.default_rng(0)
    allowed = np.array([[True, False, True, False], [False] * 4])
    drawn = np.array([draw_allowed(allowed, rng) for _ in range(400)])
    assert set(drawn[:, 0]) == {0, 2}  # about 200 each, standard error 10
    assert abs(np.sum(drawn[:, 0] == 0) - 200) < 50
    assert set(drawn[:, 1]) == {0, 1, 2, 3}  # nothing is allowed: anything


def test_a_run_without_context_begins_at_random_and_learns(tmp_path):
    changes = ("run.prefill_policy=random", "replay.context=0")
    with trainings.training(tmp_path, *changes) as trainer:
        assert not trainer.prefilled()
        while not trainer.progress.updates:
            trainer.driver.step()
        assert trainer.prefilled() and np.isfinite(trainer.metrics.losses).all()
