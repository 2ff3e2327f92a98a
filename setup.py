"""Packaging. Tool settings are in `pyproject.toml`, versions of the stack are here."""

import pathlib
import re

from setuptools import find_packages, setup

HERE = pathlib.Path(__file__).parent
VERSION = re.search(
    r'^__version__ = "(.+)"$',
    (HERE / "dreamerv3_tf" / "__init__.py").read_text(encoding="utf-8"),
    re.MULTILINE,
)
README = HERE / "README.md"

TENSORFLOW = ">=2.21,<2.22"

# The set that pip resolves by itself on Python 3.11 with tf-agents in it:
# - TFP stays unpinned: tf-agents 0.19 asks for 0.23, on 3.12+ pip takes the newest.
#   0.23 needs TF_USE_LEGACY_KERAS=1, which the package sets, and both need tf-keras.
# - tf-agents stops at Python 3.11 (its pygame has no newer wheel); imported lazily.
# - numpy 2.4 breaks tf-agents; mujoco 4 breaks dm_control 1.0.50.
# - TensorFlow 2.21 does not bring TensorBoard any more.
CORE = [
    f"tensorflow{TENSORFLOW}",
    "keras>=3.15,<3.16",
    f"tf-keras{TENSORFLOW}",
    "tensorflow-probability",
    'tf-agents>=0.19,<0.20; python_version < "3.12"',
    f"tensorboard{TENSORFLOW}",
    "numpy<2.4",
    "numba>=0.68,<0.69",  # the voxel world's compiler builds on its inside
    "gymnasium>=1.2,<2",
    "dm_control>=1.0.50",
    "mujoco>=3.17,<4",
    "absl-py>=2",
    "pyyaml>=6",
    "pillow",
    "psutil",
    "rich",
]
# Suites; numba makes worlds of Crafter ten times as fast, and is in the core.
ATARI = ["ale-py>=0.12,<0.13"]
BSUITE = ["bsuite>=0.3.6"]
CRAFTER = ["crafter>=1.8"]
MEMORY_MAZE = ["memory-maze>=1.0.3; python_version < '3.13'"]  # needs labmaze
VIZDOOM = ["vizdoom>=1.3,<1.4"]
SUITES = [*ATARI, *BSUITE, *CRAFTER, *MEMORY_MAZE, *VIZDOOM]
WARP = ["mujoco-warp>=3.17,<4"]  # about 400 MB
VIDEO = ["imageio-ffmpeg"]
PLOT = ["matplotlib"]
PLAY = ["aiohttp>=3.9"]
TEST = ["pytest>=8", "hypothesis", "setuptools>=70.1", *SUITES, *VIDEO, *PLOT, *PLAY]

setup(
    name="dreamerv3_tf",
    version=VERSION[1],
    description="DreamerV3, a world-model agent, in TensorFlow and Keras",
    long_description=README.read_text(encoding="utf-8") if README.exists() else "",
    long_description_content_type="text/markdown",
    license="MIT",
    python_requires=">=3.11",
    packages=[
        *find_packages(include=["dreamerv3_tf", "dreamerv3_tf.*"]),
        "dreamerv3_tf.configs",
        "dreamerv3_tf.configs.tasks",
        "dreamerv3_tf.configs.ablations",
    ],
    # In a checkout `configs/` lies beside the package, in a wheel inside it.
    package_dir={"dreamerv3_tf.configs": "configs"},
    package_data={
        "dreamerv3_tf.configs": ["*.yaml"],
        "dreamerv3_tf.configs.tasks": ["*.yaml"],
        "dreamerv3_tf.configs.ablations": ["*.yaml"],
    },
    install_requires=CORE,
    extras_require={
        "atari": ATARI,
        "bsuite": BSUITE,
        "crafter": CRAFTER,
        "memory_maze": MEMORY_MAZE,
        "vizdoom": VIZDOOM,
        "warp": WARP,
        "dmc": [],  # in the core
        "video": VIDEO,
        "test": TEST,
        "dev": [*TEST, "pytest-xdist", "ruff", "pyright"],
        "cuda": [f"tensorflow[and-cuda]{TENSORFLOW}"],
        "plot": PLOT,
        "play": PLAY,
        "all": [*SUITES, *WARP, *VIDEO, *PLOT, *PLAY],
    },
    entry_points={"console_scripts": ["dreamerv3 = dreamerv3_tf.main:cli"]},
)
