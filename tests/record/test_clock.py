"""Clocks, ratios and timers, on a time that the test sets."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamerv3_tf.record.clock import Every, Rate, Ratio, Timer


class Time:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def test_a_clock_says_no_first_and_then_once_per_period():
    time = Time()
    every = Every(10, time)
    answers = []
    for now in (0, 9, 10, 11, 20, 55, 56, 64, 65):
        time.now = 100.0 + now
        answers.append(every())
    # After the pause until 55 it says yes once; the next period begins there.
    assert answers == [False, False, True, False, True, True, False, False, True]


def test_a_clock_of_zero_never_rings_and_a_negative_one_always():
    time = Time()
    never, always = Every(0, time), Every(-1, time)
    for _ in range(3):
        time.now += 1000
        assert not never() and always()


def test_a_ratio_pays_for_train_steps_by_hand():
    # Half a step per step: 1 at once; 1 step later ½, 2 later 1; 5 more owe 2½.
    ratio = Ratio(0.5)
    assert [ratio(step) for step in (10, 11, 12, 17, 18)] == [1, 0, 1, 2, 1]


@given(
    ratio=st.sampled_from([0.03125, 0.25, 0.3, 1.0, 2.5, 7.0]),
    gaps=st.lists(st.integers(0, 50), min_size=1, max_size=50),
)
def test_train_steps_keep_the_ratio_on_average(ratio, gaps):
    clock, step, total = Ratio(ratio), 5, 0
    assert clock(step) == 1
    for gap in gaps:
        step += gap
        total += clock(step)
    owed = Fraction(ratio) * (step - 5)
    rounding = Fraction(1, 10**9)  # of `1 / ratio`; may delay a train step by one call
    assert owed - 1 - rounding <= total <= owed + rounding


def test_a_restored_ratio_goes_on_without_a_burst():
    never_stopped, before, after = Ratio(0.3), Ratio(0.3), Ratio(0.3)
    expected = [never_stopped(step) for step in range(40)]
    got = [before(step) for step in range(20)]
    after.restore(before.state())
    assert got + [after(step) for step in range(20, 40)] == expected


def test_a_ratio_of_zero_never_trains_and_a_negative_one_is_refused():
    assert [Ratio(0)(step) for step in (0, 1000)] == [0, 0]
    with pytest.raises(ValueError, match="not -1"):
        Ratio(-1)


def test_a_rate_counts_since_the_last_question():
    time = Time()
    rate = Rate(time)
    assert rate.result() == 0
    rate.add(30)
    rate.add()
    time.now += 10
    assert rate.result() == 3.1
    time.now += 10
    assert rate.result() == 0


def test_a_timer_gives_shares_and_means():
    time = Time()
    timer = Timer(time)
    for seconds in (1, 5):
        with timer("train"):
            time.now += seconds
    with timer("env"):
        time.now += 1
    time.now += 3  # outside of all sections; 10 s in all
    sections = timer.sections(reset=False)
    assert list(sections) == ["train", "env"]
    assert sections["train"] == pytest.approx((0.6, 3.0, 5.0, 2))
    assert sections["env"].share == pytest.approx(0.1)
    metrics = timer.metrics()
    assert metrics["train/share"] == pytest.approx(0.6)
    assert metrics["train/mean"] == 3 and metrics["train/max"] == 5
    assert metrics["train/count"] == 2
    assert timer.sections() == {}


def test_a_timer_counts_a_section_that_fails():
    time = Time()
    timer = Timer(time)
    with pytest.raises(KeyError), timer("train"):
        time.now += 2
        raise KeyError
    assert timer.sections()["train"].mean == 2
