"""Text as vectors: tokens by hand, and the same embeddings everywhere."""

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamerv3_tf.envs import text


@pytest.mark.parametrize(
    "words, tokens",
    [
        ("Shoot: Demon\n", ["shoot", ":", "demon", "\n"]),
        ("Are all cars blue?", ["are", "all", "cars", "blue", "?"]),
        ("red_hat 12 (now!)", ["red_hat", "12", "(", "now", "!)"]),
        ("  ", []),
        ("", []),
    ],
)
def test_tokens_are_runs_of_letters_or_of_other_characters(words, tokens):
    expected = [zlib.crc32(token.encode()) % 65536 for token in tokens]
    assert text.tokenize(words) == expected


def test_the_number_of_a_token_is_its_checksum():
    # CRC-32 of "123456789" is 0xCBF43926, the check value of its definition; the lower
    # 16 bits of it are 0x3926.
    assert text.tokenize("123456789") == [0x3926]


def test_embeddings_are_rows_of_a_table_that_anyone_can_make_again():
    table = np.random.default_rng(0).normal(0, 1, (65536, 32)).astype(np.float32)
    red, blue = (zlib.crc32(word.encode()) % 65536 for word in ("red", "blue"))
    rows = text.embed("Red blue").reshape(32, 32)
    np.testing.assert_array_equal(rows[0], table[red])
    np.testing.assert_array_equal(rows[1], table[blue])
    # The rest is filled with row 0, which is not zero.
    np.testing.assert_array_equal(rows[2:], np.tile(table[0], (30, 1)))
    assert np.abs(table[0]).max() > 0.1


@given(st.text(max_size=300))
def test_any_text_fits_the_space(words):
    assert text.SPACE.problem(text.embed(words)) is None


def test_of_a_long_text_the_beginning_counts():
    words = " ".join("word" + letter for letter in "abcdefghij" * 4)  # 40 tokens
    first = " ".join(words.split()[:32])
    np.testing.assert_array_equal(text.embed(words), text.embed(first))


def test_a_vector_may_be_changed_without_changing_the_words():
    before = text.embed("red").copy()
    text.embed("red")[:] = 0
    np.testing.assert_array_equal(text.embed("red"), before)
