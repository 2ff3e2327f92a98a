"""Entries of vectors beside the pictures of a report."""

import numpy as np
import pytest

from dreamerv3_tf.record.strips import (
    GRAY,
    GREEN,
    NAME,
    RED,
    VALUE,
    WHITE,
    write_beside,
)

LEGEND = {"log": 2, "iron_pickaxe": 0}


def color_of(area):
    """The color of text, whose edges are smooth: that next to the brightest pixel."""
    pixels = area.reshape(-1, 3).astype(int)
    brightest = pixels[pixels.sum(-1).argmax()]
    palette = (WHITE, GREEN, RED, GRAY)
    return min(palette, key=lambda color: abs(brightest - color).sum())


@pytest.fixture(scope="module")
def written():
    # Two sequences of three steps and a pause of one; entry 1 is not in the legend.
    video = np.full((4, 3 * 20, 2 * 24, 3), 77, np.uint8)
    truth = np.zeros((2, 3, 3), np.float32)
    predicted = truth.copy()
    truth[0, 0, 2], predicted[0, 0, 2] = 3, 3.4  # log, rounds to the truth
    truth[0, 1, 2], predicted[0, 1, 2] = 3, 1.2
    predicted[0, 2, 2] = np.inf
    truth[1, 0, 1] = 5
    return write_beside(video, np.stack([truth, predicted]), LEGEND)


def test_frames_stay_and_every_sequence_gets_a_strip(written):
    wide = 24 + NAME + VALUE
    assert written.shape == (4, 60, 2 * wide, 3)  # 20 pixels hold two lines of ten
    for column in range(2):
        start = column * wide
        assert (written[:, :, start : start + 24] == 77).all()
        assert not written[3, :, start + 24 : start + wide].any()  # the pause
        assert not written[:, 40:, start + 24 : start + wide].any()  # the error


def test_small_frames_are_enlarged_until_the_text_fits():
    video = np.zeros((1, 3 * 8, 8, 3), np.uint8)
    result = write_beside(video, np.zeros((2, 1, 1, 3), np.float32), LEGEND)
    # 20 pixels are needed for two lines, so frames of 8 become frames of 24.
    assert result.shape == (1, 3 * 24, 24 + NAME + VALUE, 3)


def test_colors_tell_where_the_prediction_is_right(written):
    def line(step, part, row, column=0):
        left = 24 + column * (24 + NAME + VALUE)
        top = part * 20 + row * 10
        return color_of(written[step, top : top + 10, left : left + NAME + VALUE])

    assert line(0, 0, 0) == WHITE  # three logs in truth
    assert line(0, 1, 0) == GREEN  # 3.4 rounds to 3
    assert line(1, 1, 0) == RED  # 1.2 does not
    assert line(2, 1, 0) == RED  # nor does infinity
    assert line(0, 0, 1) == GRAY and line(0, 1, 1) == GRAY  # no pickaxe, rightly
    assert line(0, 0, 0, column=1) == GRAY  # entry 1 is not in the legend


def test_no_more_than_three_sequences_are_written():
    video = np.zeros((1, 3 * 20, 5 * 24, 3), np.uint8)
    video[:, :, 2 * 24 : 3 * 24] = 50  # the third of five
    result = write_beside(video, np.zeros((2, 5, 1, 3), np.float32), LEGEND)
    wide = 24 + NAME + VALUE
    assert result.shape[2] == 3 * wide
    assert (result[:, :, 2 * wide : 2 * wide + 24] == 50).all()
