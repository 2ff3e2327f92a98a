"""Statistics over tasks and seeds: hand values, properties, and scipy's results."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st


@pytest.fixture(scope="module")
def estimates(root):
    """The part of the tools that is tested."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(root / "tools"))
        from curves import estimates

        yield estimates


def test_statistics_by_hand(estimates):
    # Tasks (0, 2), (4,), (10, 14): means 1, 4, 12. Mean 17 / 3, median 4.
    # IQM: weights 1/6, 1/6, 1/3, 1/6, 1/6 in the order 0, 2, 4, 10, 14. Between the
    # quartiles 0.25 and 0.75 lie 1/12 of 2, 1/3 of 4 and 1/12 of 10:
    # (2/12 + 4/3 + 10/12) / (1/2) = 14/3.
    found = estimates.estimate([(0, 2), (4,), (10, 14)], resamples=50)
    np.testing.assert_allclose(found["mean"].value, 17 / 3)
    np.testing.assert_allclose(found["median"].value, 4)
    np.testing.assert_allclose(found["iqm"].value, 14 / 3)


def test_the_capped_mean_cuts_off_what_seeds_have_together(estimates):
    # Means over seeds 0.5, 1.5 and 1.0: capped 0.5, 1 and 1. The seed at 1.8 does not
    # count as 1 beside the one at 0.2, for the paper normalises means over seeds.
    found = estimates.estimate([(0.4, 0.6), (1, 2), (1.8, 0.2)], resamples=9)
    np.testing.assert_allclose(found["capped mean"].value, 2.5 / 3)


@settings(max_examples=20)
@given(seed=st.integers(0, 1000), tasks=st.integers(1, 6), seeds=st.integers(1, 6))
def test_the_iqm_is_scipys_trimmed_mean_where_quarters_are_whole(
    estimates, seed, tasks, seeds
):
    stats = pytest.importorskip("scipy.stats")
    table = np.random.default_rng(seed).normal(size=(tasks, 4 * seeds))
    found = estimates.estimate(list(table), resamples=1)
    expected = stats.trim_mean(table, 0.25, axis=None)
    np.testing.assert_allclose(found["iqm"].value, expected, atol=1e-12)


def test_intervals_are_those_of_scipys_bootstrap(estimates):
    # Each task is a sample of its own there: the same stratified bootstrap.
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(0)
    tasks = [rng.normal(10 * task, 1 + task, size=4 + task) for task in range(5)]

    def mean(*samples, axis):
        return np.mean([sample.mean(axis) for sample in samples], 0)

    expected = stats.bootstrap(
        tasks, mean, method="percentile", n_resamples=20_000, rng=rng
    ).confidence_interval
    found = estimates.estimate(tasks, resamples=20_000)["mean"]
    width = expected.high - expected.low
    np.testing.assert_allclose(
        [found.low, found.high], [expected.low, expected.high], atol=0.03 * width
    )


@settings(max_examples=20)
@given(
    tasks=st.lists(
        st.lists(st.floats(-100, 100), min_size=1, max_size=4), min_size=1, max_size=4
    )
)
def test_intervals_hold_their_order_and_stay_among_the_scores(estimates, tasks):
    lowest, highest = min(map(min, tasks)) - 1e-9, max(map(max, tasks)) + 1e-9
    for name, found in estimates.estimate(tasks, resamples=60).items():
        if name != "capped mean":
            assert lowest <= found.value <= highest
            bounds = [found.low, found.high, found.tasks_low, found.tasks_high]
            assert all(x is None or lowest <= x <= highest for x in bounds)
        assert (found.low is None) == (max(map(len, tasks)) == 1)
        assert (found.tasks_low is None) == (len(tasks) == 1)
        assert found.low is None or found.low <= found.high


def test_equal_seeds_leave_no_doubt_but_that_of_the_tasks(estimates):
    found = estimates.estimate([(1, 1), (3, 3)], resamples=500)["mean"]
    assert (found.low, found.value, found.high) == (2, 2, 2)
    assert (found.tasks_low, found.tasks_high) == (1, 3)


def test_statistics_do_not_depend_on_the_order_of_tasks(estimates):
    one = estimates.estimate([(0, 2), (4,), (9, 14)], resamples=1)
    two = estimates.estimate([(14, 9), (0, 2), (4,)], resamples=1)
    assert {k: v.value for k, v in one.items()} == pytest.approx(
        {k: v.value for k, v in two.items()}
    )
