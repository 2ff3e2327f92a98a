"""What the machine offers, and what the program chooses by it."""

from __future__ import annotations

import os
from typing import NamedTuple

from dreamerv3_tf.config import Compute
from dreamerv3_tf.run import compilation
from dreamerv3_tf.values import ConfigError


class Device(NamedTuple):
    """Where and how numbers are computed; nothing is `auto` any more.

    Attributes:
        name: TensorFlow's name, such as `/GPU:0`.
        title: what to show a person.
        accelerated: it is no CPU.
        precision: `float32`, `bfloat16` or `float16`.
        xla: `off`, `split` or `full`.
    """

    name: str
    title: str
    accelerated: bool
    precision: str
    xla: str

    def facts(self) -> dict[str, str]:
        """What is saved with a run."""
        return {"device": self.title, "precision": self.precision, "xla": self.xla}


class Start(NamedTuple):
    """How a run starts.

    Attributes:
        device: the choices made by the machine.
        resume: whether its folder holds a run with these settings.
    """

    device: Device
    resume: bool


def accelerators(compute: Compute) -> list:
    """TensorFlow's accelerators, none where the CPU is asked for.

    Raises:
        ConfigError: an accelerator is asked for and there is none.
    """
    tf = quiet_tensorflow()
    found = [] if compute.device == "cpu" else tf.config.list_physical_devices("GPU")
    if compute.device == "gpu" and not found:
        raise ConfigError(
            "compute.device is gpu, but TensorFlow sees no accelerator. Install "
            "the extra [cuda] and check nvidia-smi, or set compute.device=cpu."
        )
    return found


def quiet_tensorflow():
    """TensorFlow, imported so that its C++ part logs what is fatal and nothing else.

    What goes wrong comes as a Python exception with the same text; the log has notes
    on top, some marked as errors, such as a faster kernel that the machine lacks.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf

    return tf


def set_up(compute: Compute) -> Device:
    """Prepares TensorFlow; to be called once, before anything is computed.

    Memory of an accelerator is taken as needed, not all at once. Threads and
    determinism are as the settings say. What XLA compiles for a CPU is kept for the
    next start.

    Raises:
        ConfigError: see `accelerators`.
    """
    # Before TensorFlow looks for devices, and with them at its flags.
    compilation.set_flags()
    compilation.keep_programs(compute.threads, compute.deterministic)
    found = accelerators(compute)
    tf = quiet_tensorflow()
    for device in found:
        tf.config.experimental.set_memory_growth(device, True)
    if not found:
        tf.config.set_visible_devices([], "GPU")
    if compute.threads:
        tf.config.threading.set_intra_op_parallelism_threads(compute.threads)
    if compute.deterministic:
        tf.config.experimental.enable_op_determinism()
    accelerated = bool(found)
    precision, xla = compute.precision, compute.xla
    if precision == "auto":
        precision = compute.half if accelerated else "float32"
    if xla == "auto":
        xla = "full" if accelerated else "split"
    name = "/GPU:0" if accelerated else "/CPU:0"
    return Device(name, _title(tf, found), accelerated, precision, xla)


def _title(tf, found: list) -> str:
    if not found:
        return f"CPU, {os.cpu_count()} cores"
    details = tf.config.experimental.get_device_details(found[0])
    return details.get("device_name", found[0].name)
