"""Text as a vector: words are hashed, and each has a fixed random embedding.

Source: the published code of Hafner et al. 2025 (language levels of DMLab). The agent
is not told which word is which; the same word is the same 32 numbers, always and in
every process.
"""

from __future__ import annotations

import functools
import re
import zlib

import numpy as np

from dreamerv3_tf.spaces import Space

TOKENS = 32
WIDTH = 32
VOCABULARY = 65536
PATTERN = re.compile("[a-z_]+|[^a-z_ ]+")

SPACE = Space(np.dtype(np.float32), (TOKENS * WIDTH,))
"""Space of an embedded text."""


def tokenize(text: str) -> list[int]:
    """Numbers of the tokens, each in [0, 65536).

    A token is a run of letters and underscores, or a run of anything else but spaces;
    upper and lower case are the same. Its number is its CRC-32, cut to 16 bits.
    """
    found = PATTERN.findall(text.lower())
    return [zlib.crc32(token.encode()) % VOCABULARY for token in found]


def embed(text: str) -> np.ndarray:
    """The text as float32 `[TOKENS · WIDTH]`, one embedding after another.

    Shorter texts are filled up with the embedding of token 0. Of longer texts the
    beginning counts; the published code fails there.
    """
    tokens = tokenize(text)[:TOKENS]
    tokens += [0] * (TOKENS - len(tokens))
    return _table()[tokens].reshape(-1)


@functools.cache
def _table() -> np.ndarray:
    """Embeddings float32 `[VOCABULARY, WIDTH]`, standard normal, from seed 0."""
    table = np.random.default_rng(0).normal(0.0, 1.0, (VOCABULARY, WIDTH))
    return table.astype(np.float32)
