"""DreamerV3 in TensorFlow and Keras.

    dreamer = dreamerv3_tf.train(env_fn, steps=100_000)    # see `dreamerv3_tf.api`
    dreamer = dreamerv3_tf.load(logdir)
    env = dreamerv3_tf.make_env("dmc_walker_walk", seed=0)

Importing the package imports nothing heavy: processes that only step environments never
load TensorFlow.
"""

import importlib
import os
import typing

__version__ = "0.1.0"

PUBLIC = {
    "train": "api",
    "load": "api",
    "Dreamer": "api.dreamer",
    "make_env": "envs",
    "check_env": "envs",
}
"""Names of the Python interface and the modules that they are in, loaded when used."""

# TFP 0.23, which tf-agents 0.19 asks for, works with TensorFlow 2.21 only when
# `tf.keras` is the legacy Keras. Read at the first use of `tf.keras`, so it is set
# before anything else. Our layers are Keras 3 (`import keras`) and do not notice.
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")


def __getattr__(name: str) -> typing.Any:
    if name not in PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{PUBLIC[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *PUBLIC])
