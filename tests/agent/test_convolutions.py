"""Images that go through encoder and decoder a few rows at a time."""

import numpy as np
import pytest
import tensorflow as tf

from dreamerv3_tf.agent import convolutions
from dreamerv3_tf.agent.convolutions import Convolutions, portion
from dreamerv3_tf.structs import Latent


def test_a_portion_divides_the_batch_and_has_at_most_so_many_pixels(monkeypatch):
    monkeypatch.setattr(convolutions, "PIXELS", 1000)
    shape = (12, 2, 10, 10, 3)  # 200 pixels a row: 5 rows fit, 4 of them divide 12
    assert portion({"image": shape}) == 4
    assert portion({"image": shape, "map": (12, 2, 20, 10, 1)}) == 2
    assert portion({"image": (12, 2, 100, 100, 3)}) == 1  # at least one


@pytest.mark.parametrize("rows", [1, 2])
def test_portions_give_what_the_whole_gives(tiny, monkeypatch, rows):
    agent = tiny.agent(tiny.image)
    parts = Convolutions(agent.objective, lambda loss: 3 * loss)
    rng = np.random.default_rng(0)
    images = {"image": tf.constant(rng.integers(0, 256, (4, 2, 12, 12, 3), np.uint8))}
    rssm = agent.model.rssm
    latent = Latent(
        tf.constant(rng.normal(size=(4, 2, rssm.deter)), tf.float32),
        tf.constant(rng.random((4, 2, rssm.stoch, rssm.classes)), tf.float32),
    )
    encoder, decoder = (
        x.image_weights for x in (agent.model.encoder, agent.model.decoder)
    )
    encoder, decoder = (convolutions.values(x) for x in (encoder, decoder))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(latent)
        tokens = agent.model.encoder.embed_images(images)
        losses = agent.model.image_losses(latent, images)
        total = 3 * agent.objective.total(losses)
    push = tf.constant(rng.normal(size=tokens.shape), tf.float32)
    want = [tokens, losses, *tape.gradient(total, (decoder, latent))]
    want.append(tape.gradient(tokens, encoder, push))
    monkeypatch.setattr(convolutions, "PIXELS", rows * 2 * 12 * 12)
    decoded = parts.decode(latent, images)
    got = [parts.encode(images), *decoded, parts.encoder_gradients(images, push)]
    tf.nest.assert_same_structure(got, want)
    for one, two in zip(*map(tf.nest.flatten, (got, want)), strict=True):
        scale = np.abs(two).max()
        np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-5 * scale)
