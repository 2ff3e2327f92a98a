"""Rays through the corners of columns come to an end."""

import threading

import numpy as np
from scenes import meadow

from dreamerv3_tf.envs.minecraft.voxel.picture import march


def test_rays_through_corners_of_columns_end():
    # Equal steps along x and z from equal places meet each corner of 8x8 columns, where
    # rounding decides on which side they are. In a thread: a ray that is caught between
    # two columns would hold the test for ever.
    state = meadow()
    rng = np.random.default_rng(0)
    places = np.concatenate([np.arange(8) + 0.5, rng.uniform(0, 8, 200)])
    slopes = rng.uniform(0.05, 1.0, 20)
    ended = []

    def cast_all():
        for place in places:
            for slope in slopes:
                for sign in (-1.0, 1.0):
                    d = sign * slope
                    march.cast(state, place, 100.6, place, d, 0.01, d, 40.0)
                    march.cast(state, place, 100.6, place, d, -0.4, d, 40.0)
        ended.append(True)

    thread = threading.Thread(target=cast_all, daemon=True)
    thread.start()
    thread.join(60)
    assert ended
