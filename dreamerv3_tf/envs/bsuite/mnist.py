"""The images of the mnist experiments, from files that someone has put there."""

from __future__ import annotations

import contextlib
import gzip
import math
import pathlib
import zlib
from collections.abc import Iterator
from unittest import mock

import numpy as np

from dreamerv3_tf.envs.base import EnvError, require

IMAGES, LABELS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"


@contextlib.contextmanager
def provided(identity: str, directory: str) -> Iterator[None]:
    """The suite's environments find their images in `directory`, while this lasts.

    By itself the suite would download them into a folder that can't be chosen.

    Args:
        identity: of the configuration, for messages.
        directory: holds both training files, as they are published.

    Raises:
        EnvError: a file is missing or damaged.
    """
    folder = pathlib.Path(directory).expanduser()
    missing = [x for x in (IMAGES, LABELS) if not (folder / x).is_file()]
    if not directory or missing:
        raise EnvError(
            f"Task 'bsuite_{identity}': put {IMAGES} and {LABELS} of MNIST into a "
            f"folder and set env.mnist_dir to it; it is '{directory}'"
            + (f", without {' and '.join(missing)}." if directory else ".")
        )
    data = read(folder)
    datasets = require("bsuite.utils.datasets", "bsuite")
    with mock.patch.object(datasets, "load_mnist", lambda: (data, None)):
        yield


def read(folder: pathlib.Path) -> tuple[np.ndarray, np.ndarray]:
    """Images int8 `[N, height, width]` and labels uint8 `[N]` of the training set.

    Pixels are bytes from 0 to 255, but the suite reads them as *signed* bytes, so that
    all above 127 become negative (255 is -1). All published scores were made this way,
    so it stays.

    Raises:
        EnvError: a file is damaged.
    """
    images = read_idx(folder / IMAGES, rank=3).astype(np.int8)
    labels = read_idx(folder / LABELS, rank=1)
    if len(images) != len(labels):
        raise EnvError(
            f"{folder}: {len(images)} images and {len(labels)} labels; expected one "
            "label for each image."
        )
    return images, labels


def read_idx(path: pathlib.Path, rank: int) -> np.ndarray:
    """A gzip file of the format IDX as uint8 array.

    The format: two zero bytes, the type (8: unsigned byte), the rank, the size of each
    axis as big-endian 32-bit integer, then the values in C order.

    Raises:
        EnvError: it is something else, or cut off.
    """
    try:
        data = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise EnvError(f"{path} can't be read: {error}. Copy it again.") from error
    head = 4 + 4 * rank
    right = data[:4] == bytes([0, 0, 8, rank]) and len(data) >= head
    sizes = np.frombuffer(data[4:head], ">u4").tolist() if right else []
    if not right or len(data) != head + math.prod(sizes):
        raise EnvError(
            f"{path} is damaged or no IDX file of rank {rank} and unsigned bytes. Copy "
            "it again."
        )
    return np.frombuffer(data, np.uint8, offset=head).reshape(sizes)
