"""Observations, rewards and ends of episodes, on scripted games."""

import numpy as np
import pytest
from scripted import Scripted

from dreamerv3_tf import envs
from dreamerv3_tf.envs import EnvError, minecraft
from dreamerv3_tf.envs.hooks import env_facts, env_legend, env_parallel
from dreamerv3_tf.envs.minecraft import backends
from dreamerv3_tf.envs.minecraft.actions import NAMES
from dreamerv3_tf.envs.minecraft.items import EQUIPPED
from dreamerv3_tf.envs.minecraft.task import Minecraft
from dreamerv3_tf.envs.minecraft.vectors import INDEX, MILESTONES
from dreamerv3_tf.envs.wrappers import TimeLimit, wrap

NOOP = {"action": np.int32(0)}
ATTACK = {"action": np.int32(1)}


def play(*moments, goal="diamond", start=None, **options):
    """Observations of a script, its first one included."""
    env = Minecraft(Scripted(*moments, start=start), goal, **options)
    return [env.reset(), *(env.step(NOOP) for _ in moments)]


def rewards(*moments, **options):
    return [float(obs["reward"]) for obs in play(*moments, **options)]


@pytest.fixture
def scripted(monkeypatch):
    """Lets `make` use a scripted game; it takes over the given list of arguments."""
    made = []

    def open_backend(name, **settings):
        made.append((name, settings))
        return Scripted()

    monkeypatch.setattr(minecraft, "open_backend", open_backend)
    return made


def test_every_milestone_pays_once():
    moments = [{"log": 1}, {"log": 3}, {}, {"log": 1}, {"log": 1, "planks": 4}]
    assert rewards(*moments) == [0, 1, 0, 0, 0, 1]


@pytest.mark.parametrize("order", [MILESTONES, MILESTONES[::-1]])
def test_all_milestones_pay_twelve_in_any_order_and_together(order):
    one_by_one = [dict.fromkeys(order[:n], 1) for n in range(1, 13)]
    assert rewards(*one_by_one) == [0] + [1] * 12
    assert rewards(dict.fromkeys(order, 2)) == [0, 12]


def test_what_is_held_at_the_start_pays_nothing():
    moments = [{"log": 2}, {}, {"log": 5}, {"log": 5, "stick": 1}]
    assert rewards(*moments, start={"log": 1}) == [0, 0, 0, 0, 1]


def test_other_items_pay_nothing():
    assert rewards({"dirt": 5}, {"coal": 1}, {"diamond_ore": 1}) == [0, 0, 0, 0]


def test_a_point_of_life_is_worth_a_twentieth_of_a_hundredth():
    # 0.01 * (19 / 20 - 1) = -0.0005, and back.
    found = rewards({"life": 19}, {"life": 20}, {"life": 10})
    np.testing.assert_allclose(found, [0, -0.0005, 0.0005, -0.005], atol=1e-8)


def test_dying_from_full_health_costs_a_hundredth_and_is_terminal():
    obs = play({"life": 0, "dead": True})[-1]
    np.testing.assert_allclose(obs["reward"], -0.01, rtol=1e-6)
    assert obs["is_last"] and obs["is_terminal"]
    assert obs["reward"].dtype == np.float32


def test_a_return_lies_between_a_death_and_all_milestones():
    everything = dict.fromkeys(MILESTONES, 1)
    assert sum(rewards(everything)) == 12
    dying = sum(rewards(everything, {"life": 0, "dead": True, **everything}))
    np.testing.assert_allclose(dying, 11.99, rtol=1e-6)


def test_wood_pays_for_each_log_gained():
    # 2 logs, then one lost (which costs nothing), then two more.
    found = rewards({"log": 2}, {"log": 1}, {"log": 3}, goal="wood")
    assert found == [0, 2, 0, 2]
    assert rewards({"planks": 1}, goal="wood") == [0, 0]


def test_climb_pays_for_height_up_and_down_and_for_health():
    found = rewards({"y": 65.5}, {"y": 63.0, "life": 18}, goal="climb")
    np.testing.assert_allclose(found, [0, 1.5, -2.5 - 0.001], rtol=1e-6)


def test_vectors_show_what_the_game_says():
    obs = play({"log": 3, "dirt": 64, "hand": "log", "life": 5, "food": 10, "air": 30})
    seen = obs[-1]
    assert seen["inventory"][[INDEX["log"], INDEX["dirt"]]].tolist() == [3, 64]
    assert seen["inventory"][INDEX["air"]] == 363  # two of the 365 slots are taken
    assert seen["equipped"].sum() == 1 and seen["equipped"][EQUIPPED.index("log")] == 1
    shares = [float(seen[key]) for key in ("health", "hunger", "breath")]
    np.testing.assert_allclose(shares, [0.25, 0.5, 0.1])
    assert obs[0]["inventory"][INDEX["air"]] == 365
    assert obs[0]["equipped"][EQUIPPED.index("air")] == 1


def test_the_maximum_grows_and_starts_anew_with_each_episode():
    env = Minecraft(Scripted({"log": 3}, {"log": 1, "dirt": 2}, {}), "diamond")
    trace = [env.reset(), *(env.step(NOOP) for _ in range(3))]
    np.testing.assert_array_equal(trace[0]["inventory_max"], trace[0]["inventory"])
    for one, other in zip(trace, trace[1:], strict=False):
        assert (other["inventory_max"] >= one["inventory_max"]).all()
        assert (other["inventory_max"] >= other["inventory"]).all()
    assert trace[-1]["inventory_max"][[INDEX["log"], INDEX["dirt"]]].tolist() == [3, 2]
    again = env.reset()
    np.testing.assert_array_equal(again["inventory_max"], again["inventory"])


def test_milestones_and_counts_are_logged():
    first, log, planks = play({"log": 2}, {"planks": 4})
    assert first["log/max/milestone/log"] == 0 and first["log/max/milestones"] == 0
    assert log["log/max/milestone/log"] == 1 and log["log/inventory/log"] == 2
    assert planks["log/max/milestone/log"] == 1 and planks["log/inventory/log"] == 0
    assert planks["log/max/milestone/planks"] == 1 and planks["log/max/milestones"] == 2
    bare = play({"log": 2}, logs=False)[-1]
    assert not [key for key in bare if key.startswith("log/")]


def test_a_new_episode_logs_no_milestone_of_the_one_before():
    env = Minecraft(Scripted({"log": 1}), "diamond")
    env.reset()
    assert env.step(NOOP)["log/max/milestones"] == 1
    assert env.reset()["log/max/milestone/log"] == 0
    assert env.step(NOOP)["reward"] == 1


def test_a_lost_game_begins_anew_without_an_end():
    env = Minecraft(Scripted({}, {"log": 1}, {"lost": True}), "diamond")
    env = wrap(TimeLimit(env, 100))
    env.reset()
    for _ in range(2):
        env.step(ATTACK)
    obs = env.step(ATTACK)
    assert obs["is_first"] and not obs["is_last"] and obs["reward"] == 0
    assert obs["inventory_max"][INDEX["log"]] == 0
    np.testing.assert_array_equal([env.step(NOOP)["reward"] for _ in "ab"], [0, 1])


def test_a_lost_game_gets_the_whole_time_again():
    env = TimeLimit(Minecraft(Scripted({}, {"lost": True}), "diamond"), 3)
    env.reset()
    first = [bool(env.step(NOOP)["is_first"]) for _ in range(2)]
    assert first == [False, True]
    assert not env.step(NOOP)["is_last"]


def test_an_action_is_repeated_until_death():
    game = Scripted({"log": 1}, {}, {"stick": 1}, {"dead": True})
    env = Minecraft(game, "diamond", repeat=3)
    env.reset()
    obs = env.step({"action": np.int32(NAMES.index("jump"))})
    assert obs["reward"] == 1  # of the stick: only the last tick is looked at
    assert [command["jump"] for command in game.commands] == [1, 0, 0]
    assert [command["forward"] for command in game.commands] == [1, 1, 1]
    assert env.step(NOOP)["is_terminal"] and len(game.commands) == 4


@pytest.mark.usefixtures("scripted")
def test_a_time_limit_is_no_death():
    env = envs.make_env("minecraft_diamond", seed=0, length=3)
    env.reset()
    ends = [env.step(NOOP) for _ in range(3)]
    assert [bool(obs["is_last"]) for obs in ends] == [False, False, True]
    assert not any(obs["is_terminal"] for obs in ends)
    with pytest.raises(EnvError, match="after is_last"):
        env.step(NOOP)
    assert env.reset()["is_first"]


def test_minecraft_alone_is_the_diamond_task(scripted):
    assert envs.make_env("minecraft", seed=0).act_space["action"].classes == (25,)
    assert envs.make_env("minecraft_wood", seed=0).act_space["action"].classes == (12,)
    for name, settings in scripted:
        assert name == "voxel"
        assert settings["size"] == 64 and settings["break_speed"] == 100
    with pytest.raises(EnvError, match="'minecraft_dimond'.*mean 'diamond'"):
        envs.make_env("minecraft_dimond", seed=0)


@pytest.mark.usefixtures("scripted")
@pytest.mark.parametrize("speed, held", [(1.0, [1, 1, 1]), (100.0, [1, 0, 0])])
def test_attacks_stick_at_the_speed_of_the_original_only(speed, held):
    env = envs.make_env("minecraft", seed=0, break_speed=speed)
    env.reset()
    for action in (ATTACK, NOOP, NOOP):
        env.step(action)
    game = env.env.env.env.env.env.backend  # below the four of wrap and the limit
    assert [command["attack"] for command in game.commands] == held


def test_a_setting_that_the_backend_lacks_is_refused():
    with pytest.raises(EnvError, match="env.fov is 70.0.*of .*voxel.*not of 'minerl'"):
        envs.make_env("minecraft", seed=0, backend="minerl", fov=70)
    with pytest.raises(EnvError, match="env.size.*square"):
        envs.make_env("minecraft", seed=0, size=[64, 32])
    with pytest.raises(EnvError, match="env.backend.*'voxl'.*voxel, minerl"):
        envs.make_env("minecraft", seed=0, backend="voxl")


def test_every_backend_says_what_its_scores_are():
    for name in backends.BACKENDS:
        facts = env_facts("minecraft_diamond", {"backend": name})
        assert facts["backend"] == name and facts["note"]
    facts = env_facts("minecraft", {})
    assert facts["backend"] == "voxel" and "not Minecraft scores" in facts["note"]
    assert env_parallel("minecraft", {}) == "thread"
    assert env_parallel("minecraft", {"backend": "minerl"}) == "process"
    assert list(env_legend("minecraft")["inventory"]) == list(MILESTONES)
    assert (env_facts("dummy_disc", {}), env_legend("dummy_disc")) == ({}, {})
    assert env_parallel("dummy_disc", {}) == "process"


def test_an_episode_goes_on_from_a_snapshot():
    script = [{"log": n // 2, "life": 20 - n} for n in range(1, 12)]

    def make():
        env = Minecraft(Scripted(*script), "diamond", sticky_attack=5)
        return wrap(TimeLimit(env, 9))

    one, other = make(), make()
    one.reset()
    for action in (NOOP, ATTACK, NOOP):
        one.step(action)
    state = {key: value.copy() for key, value in one.snapshot().items()}
    other.restore(state)
    for _ in range(6):
        left, right = one.step(NOOP), other.step(NOOP)
        for key in left:
            np.testing.assert_array_equal(left[key], right[key], key)
    assert left["is_last"]
    commands = [env.env.env.env.env.env.backend.commands for env in (one, other)]
    assert commands[0][3:] == commands[1] and commands[1][0]["attack"]
    with pytest.raises(EnvError, match="after is_last.*no episode"):
        one.snapshot()


def test_a_snapshot_brings_its_own_milestones():
    one, other = (Minecraft(Scripted({x: 1}), "diamond") for x in ("log", "stick"))
    for env in (one, other):
        env.reset()
        env.step(NOOP)
    one.restore(other.snapshot())
    one.backend.moments = ({},)
    flags = one.step(NOOP)
    assert flags["log/max/milestone/stick"] == 1
    assert flags["log/max/milestone/log"] == 0


def test_an_environment_without_snapshots_says_so():
    env = envs.make_env("dummy_disc", seed=0)
    env.reset()
    with pytest.raises(EnvError, match="Dummy has no snapshot"):
        env.snapshot()
    with pytest.raises(EnvError, match="Dummy has no restore"):
        env.restore({})


def test_pictures_for_people_are_large():
    env = Minecraft(Scripted(), "diamond")
    env.reset()
    assert env.render().shape == (256, 256, 3)
