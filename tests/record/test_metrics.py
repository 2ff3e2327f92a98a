"""Aggregation of metrics and statistics of episodes."""

import numpy as np
import pytest

from dreamerv3_tf.record.metrics import EpisodeStats, Metrics


class DeviceTensor:
    """Stands for a tensor on a device: counts how often it is fetched."""

    shape = ()

    def __init__(self, value, fetched):
        self.value = value
        self.fetched = fetched

    def __array__(self, dtype=None, copy=None):
        self.fetched.append(self.value)
        return np.array(self.value, dtype or np.float32)


def transition(first, last, reward, **others):
    data = {
        "is_first": np.array(first, bool),
        "is_last": np.array(last, bool),
        "is_terminal": np.array(last, bool),
        "reward": np.array(reward, np.float32),
    }
    return data | {key.replace("__", "/"): value for key, value in others.items()}


def episode_of(rewards, stats, **others):
    """Runs one episode of one environment; returns what it finished."""
    finished = []
    for index, reward in enumerate(rewards):
        entries = {key: np.array([x[index]]) for key, x in others.items()}
        ends = [index == len(rewards) - 1]
        finished += stats(transition([index == 0], ends, [reward], **entries))
    return finished


def test_numbers_are_averaged_and_strings_and_arrays_keep_the_last():
    metrics = Metrics()
    metrics.add({"a": 1.0, "note": "old", "image": np.zeros((2, 2))})
    metrics.add({"a": np.float32(4.0), "note": "new", "image": np.ones((2, 2))})
    result = metrics.result()
    assert result["a"] == 2.5 and type(result["a"]) is float
    assert result["note"] == "new"
    np.testing.assert_array_equal(result["image"], np.ones((2, 2)))


@pytest.mark.parametrize(
    ("how", "expected"), [("sum", 6), ("max", 4), ("min", -1), ("last", 3), ("mean", 2)]
)
def test_a_name_is_aggregated_as_asked_for(how, expected):
    metrics = Metrics()
    for value in (4.0, -1.0, 3.0):
        metrics.add({"x": value}, prefix="part", how=how)
    assert metrics.result() == {"part/x": expected}


def test_a_result_begins_anew_unless_told_otherwise():
    metrics = Metrics()
    metrics.add({"x": 1.0})
    assert metrics.result(reset=False) == {"x": 1.0}
    metrics.add({"x": 3.0})
    assert metrics.result() == {"x": 2.0}
    assert metrics.result() == {}


def test_tensors_are_not_fetched_before_the_result():
    fetched = []
    metrics = Metrics()
    for value in (1.0, 2.0, 6.0):
        metrics.add({"x": DeviceTensor(value, fetched)})
    assert fetched == []
    assert metrics.result() == {"x": 3.0}
    assert fetched == [1.0, 2.0, 6.0]


@pytest.mark.parametrize(("how", "expected"), [("mean", 4.5), ("max", 9), ("sum", 45)])
def test_a_full_store_of_tensors_is_fetched_and_counts_on(how, expected):
    fetched = []
    metrics = Metrics(limit=4)
    for value in range(10):
        metrics.add({"x": DeviceTensor(float(value), fetched)}, how=how)
    assert len(fetched) == 8
    assert metrics.result() == {"x": expected}


def test_a_mean_over_nan_is_nan_and_not_hidden():
    metrics = Metrics()
    metrics.add({"x": 1.0})
    metrics.add({"x": float("nan")})
    assert np.isnan(metrics.result()["x"])


def test_a_name_cannot_change_how_it_is_aggregated():
    metrics = Metrics()
    metrics.add({"x": 1.0}, how="max")
    with pytest.raises(
        ValueError, match="'x' was aggregated by max so far, now by mean"
    ):
        metrics.add({"x": 1.0})
    with pytest.raises(ValueError, match="Unknown rule 'median'"):
        metrics.add({"y": 1.0}, how="median")


def test_an_episode_is_scored_by_hand():
    # Rewards 0, 1, 1, 0.5: score 2.5, four records. Three differences: 1, 0, 0.5, so
    # the reward changed on 2 of 3 steps.
    stats = EpisodeStats(1)
    (episode,) = episode_of([0.0, 1.0, 1.0, 0.5], stats)
    assert (episode.env, episode.score, episode.length) == (0, 2.5, 4)
    assert episode.metrics["score"] == 2.5
    assert episode.metrics["length"] == 4
    assert episode.metrics["reward_rate"] == pytest.approx(2 / 3)


def test_the_reward_before_an_episode_does_not_count_as_a_change():
    stats = EpisodeStats(1)
    for _ in range(2):
        (episode,) = episode_of([0.0, 0.0, 1.0], stats)
        assert episode.metrics["reward_rate"] == 0.5


def test_a_change_of_reward_below_a_hundredth_is_no_change():
    (episode,) = episode_of([0.0, 0.009, 0.0, 0.02], EpisodeStats(1))
    assert episode.metrics["reward_rate"] == pytest.approx(1 / 3)


def test_of_a_maximum_entry_only_the_largest_value_counts():
    stats = EpisodeStats(1)
    entries = {"log/max/milestone/log": [0, 1, 0], "log/food": [1, 1, 1]}
    (episode,) = episode_of([0, 0, 0], stats, **entries)
    assert episode.maxima == {"milestone/log": 1}
    assert episode.metrics["milestone/log"] == 1
    assert not [key for key in episode.metrics if key.startswith("log/max")]
    (episode,) = episode_of([0] * 3, stats, **dict.fromkeys(entries, [0, 0, 0]))
    assert episode.maxima == {"milestone/log": 0}  # nothing is left of the one before


def test_episodes_under_way_are_averaged_as_far_as_they_are():
    stats = EpisodeStats(3)
    assert stats.running() == {}
    wood = "log/max/wood"
    stats(transition([1, 1, 0], [0, 0, 0], [0, 0, 9], **{wood: np.array([0, 1, 7])}))
    stats(transition([0, 0, 0], [0, 0, 0], [1, 3, 9], **{wood: np.array([2, 0, 7])}))
    # Environment 2 was in the middle of an episode when this process began.
    assert stats.running() == {"score": 2, "wood": 1.5}
    stats(transition([0, 0, 0], [0, 1, 0], [1, 0, 9], **{wood: np.array([0, 0, 7])}))
    assert stats.running() == {"score": 2, "wood": 2}


def test_the_last_frames_of_an_episode_under_way_can_be_seen():
    stats = EpisodeStats(1, video_frames=4)
    for index in range(6):
        image = np.full((1, 2, 2, 3), index, np.uint8)
        stats(transition([index == 0], [0], [0], image=image))
    assert stats.frames(3)["image"][:, 0, 0, 0].tolist() == [3, 4, 5]
    assert stats.frames(5) == {}


def test_log_entries_have_mean_maximum_and_sum_per_episode():
    stats = EpisodeStats(1)
    episode_of([0, 0], stats, log__food=[100.0, 100.0])  # must not leak into the next
    (episode,) = episode_of([0, 0, 0], stats, log__food=[-3, -1, -2])
    assert episode.metrics["log/food/avg"] == -2
    assert episode.metrics["log/food/max"] == -1
    assert episode.metrics["log/food/sum"] == -6


def test_environments_are_told_apart():
    stats = EpisodeStats(2)
    assert stats(transition([1, 1], [0, 0], [0, 0])) == []
    (short,) = stats(transition([0, 0], [0, 1], [1, 10]))
    assert (short.env, short.score, short.length) == (1, 10, 2)
    assert stats(transition([0, 1], [0, 0], [2, 0])) == []
    first, second = stats(transition([0, 0], [1, 1], [3, 20]))
    assert (first.env, first.score, first.length) == (0, 6, 4)
    assert (second.env, second.score, second.length) == (1, 20, 2)


def test_an_abandoned_episode_is_counted_as_such_only():
    stats = EpisodeStats(1)
    stats(transition([1], [0], [0]))
    stats(transition([0], [0], [100]))
    (episode,) = episode_of([0.0, 1.0], stats)
    assert episode.score == 1 and episode.length == 2
    assert stats.abandoned == 1 and stats.episodes == 1


def test_an_episode_without_its_beginning_is_not_counted():
    stats = EpisodeStats(1)
    assert stats(transition([0], [1], [5])) == []
    assert stats.episodes == 0 and stats.abandoned == 0


def test_the_rolling_mean_takes_the_last_ten_scores_and_survives_a_restart():
    stats = EpisodeStats(1)
    assert np.isnan(stats.recent_score)
    for score in range(12):
        episode_of([0, score], stats)
    assert stats.recent_score == np.mean(np.arange(2, 12))
    later = EpisodeStats(1)
    later.restore(stats.state())
    assert later.recent_score == stats.recent_score and later.episodes == 12


def test_videos_show_environment_zero_and_are_copies():
    stats = EpisodeStats(2, video_frames=2)
    buffer = np.zeros((2, 4, 4, 3), np.uint8)
    videos = []
    for index in range(3):
        buffer[0], buffer[1] = index + 1, 99  # the driver reuses its arrays
        flags = [index == 0] * 2, [index == 2] * 2
        episodes = stats(transition(*flags, [0, 0], image=buffer))
        videos += [episode.videos for episode in episodes]
    assert list(videos[0]) == ["image"] and videos[1] == {}
    # Of three frames the last two are kept.
    assert videos[0]["image"].shape == (2, 4, 4, 3)
    assert videos[0]["image"][:, 0, 0, 0].tolist() == [2, 3]


def test_every_finished_episode_is_handed_to_the_callback():
    seen = []
    stats = EpisodeStats(1, on_episode=seen.append)
    finished = episode_of([0, 1], stats) + episode_of([0, 2], stats)
    assert seen == finished and [episode.score for episode in seen] == [1, 2]


def test_transitions_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="shape .3,.*for 2 environments"):
        EpisodeStats(2)(transition([1] * 3, [0] * 3, [0] * 3))
    with pytest.raises(ValueError, match="'log/map' has shape .5,. per environment"):
        EpisodeStats(1)(transition([1], [0], [0], log__map=np.zeros((1, 5))))
