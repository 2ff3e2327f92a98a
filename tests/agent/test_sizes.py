"""Numbers of parameters, exactly as the reference's."""

import math

import keras
import numpy as np
import pytest

from dreamerv3_tf import presets
from dreamerv3_tf.run.build import build_behavior, build_model
from dreamerv3_tf.spaces import Space

PIXELS = {"image": Space(np.dtype(np.uint8), (64, 64, 3))}
NAMES = ("rssm", "encoder", "decoder", "reward", "cont", "actor", "critic")
SIZES = {
    "1m": (377472, 14304, 80595, 57663, 41153, 50706, 66111),
    "12m": (5982720, 220416, 1272003, 721407, 656129, 792594, 853503),
    "25m": (13446912, 493824, 2857635, 1573503, 1475713, 1778706, 1869951),
    "50m": (23892992, 876032, 5076355, 2753279, 2622977, 3158034, 3279615),
    "100m": (53730816, 1966848, 11413059, 6095871, 5900545, 7096338, 7278591),
    "200m": (95496192, 3492864, 20282115, 10749183, 10488833, 12607506, 12850431),
    "400m": (214809600, 7850496, 45617283, 23987967, 23597569, 28348434, 28712703),
}
TOTALS = {
    "1m": 688_004,
    "12m": 10_498_772,
    "25m": 23_496_244,
    "50m": 41_659_284,
    "100m": 93_482_068,
    "200m": 165_967_124,
    "400m": 372_924_052,
}


def choice(classes):
    return {"action": Space(np.dtype(np.int32), (), 0, classes)}


def count(size, obs, act, *presets_before) -> dict[str, int]:
    """Parameters of each part; nothing is allocated."""
    config = presets.load("dummy_disc", [*presets_before, f"size{size}"])
    policy = keras.DTypePolicy("float32")
    with keras.StatelessScope(initialize_variables=False):
        model = build_model(config.agent, policy, obs, act)
        behavior = build_behavior(config.agent, policy, act)
        behavior.actor.build((None, model.feat_width))
        behavior.critic.build((None, model.feat_width))
    parts = (model.rssm, model.encoder, model.decoder, model.reward, model.cont)
    parts += (behavior.actor, behavior.critic)
    return {
        name: sum(math.prod(weight.shape) for weight in part.trainable_weights)
        for name, part in zip(NAMES, parts, strict=True)
    }


@pytest.mark.parametrize("size", SIZES)
def test_every_part_of_every_size_has_the_parameters_of_the_reference(size):
    got = count(size, PIXELS, choice(18))
    assert got == dict(zip(NAMES, SIZES[size], strict=True))
    assert sum(got.values()) == TOTALS[size]


def test_atari_has_the_parameters_of_the_reference():
    image = {"image": Space(np.dtype(np.uint8), (96, 96, 1))}
    got = count("200m", image, choice(18))
    assert got["rssm"] == 100_739_072
    assert got["encoder"] == 3_486_464
    assert got["decoder"] == 36_014_593
    assert sum(got.values()) == 186_936_082


def test_crafter_has_the_parameters_of_the_reference():
    assert sum(count("200m", PIXELS, choice(17)).values()) == 165_965_075


def test_walker_has_the_parameters_of_the_reference():
    number = np.dtype(np.float32)
    obs = {
        "orientations": Space(number, (14,)),
        "height": Space(number, ()),
        "velocity": Space(number, (9,)),
    }
    got = count("1m", obs, {"action": Space(number, (6,), -1, 1)})
    assert sum(got.values()) == 640_867


# World model, actor and critic of the 2023 version. XS is in the preprint's table only.
PREPRINT = {
    "xs": (7_542_051, 332_818, 393_727),
    "s": (15_693_955, 1_059_858, 1_181_439),
    "m": (32_469_315, 2_145_298, 2_297_215),
    "l": (68_287_491, 4_148_754, 4_331_007),
    "xl": (181_570_947, 9_465_874, 9_708_799),
}
PREPRINT_TOTALS = {
    "xs": 8_268_596,
    "s": 17_935_252,
    "m": 36_911_828,
    "l": 76_767_252,
    "xl": 200_745_620,
}


def grouped(got: dict[str, int]) -> tuple[int, int, int]:
    """Parameters of world model, actor and critic."""
    model = sum(got[name] for name in NAMES if name not in ("actor", "critic"))
    return model, got["actor"], got["critic"]


@pytest.mark.parametrize("size", PREPRINT)
def test_every_size_of_the_preprint_has_its_parameters(size):
    got = count(f"2023-{size}", PIXELS, choice(18), "paper2023")
    assert grouped(got) == PREPRINT[size]
    assert sum(got.values()) == PREPRINT_TOTALS[size]


def test_a_published_log_of_the_preprint_shows_the_same_numbers():
    got = count("2023-m", PIXELS, choice(17), "paper2023")
    assert grouped(got) == (32_468_675, 2_144_657, 2_297_215)
