"""What is chosen where the settings leave the choice to the machine."""

import os
import subprocess
import sys
import types

import pytest

from dreamerv3_tf import presets
from dreamerv3_tf.run import device
from dreamerv3_tf.values import ConfigError


def compute(*changes):
    base = ["compute.deterministic=false"]
    return presets.load("dummy_disc", ["debug"], [*base, *changes]).compute


@pytest.fixture
def accelerator(monkeypatch):
    """Pretends that there is one; collects what is set."""
    done = []
    experimental = types.SimpleNamespace(
        set_memory_growth=lambda device, on: done.append(("growth", device.name, on)),
        enable_op_determinism=lambda: done.append("deterministic"),
        get_device_details=lambda _: {"device_name": "Abacus"},
    )
    threading = types.SimpleNamespace(
        set_intra_op_parallelism_threads=lambda count: done.append(("threads", count))
    )
    config = types.SimpleNamespace(
        experimental=experimental,
        threading=threading,
        list_physical_devices=lambda kind: [types.SimpleNamespace(name=f"{kind}:0")],
        set_visible_devices=lambda devices, kind: done.append((kind, devices)),
    )
    fake = types.SimpleNamespace(config=config)
    monkeypatch.setattr(device, "quiet_tensorflow", lambda: fake)
    return done


def test_a_cpu_computes_in_float32_with_convolutions_outside_of_xla():
    found = device.set_up(compute("compute.device=cpu"))
    assert found.name == "/CPU:0" and not found.accelerated
    assert (found.precision, found.xla) == ("float32", "split")
    assert found.title == f"CPU, {os.cpu_count()} cores"


def test_an_accelerator_computes_in_bfloat16_all_within_xla(accelerator):
    found = device.set_up(compute())
    assert found == device.Device("/GPU:0", "Abacus", True, "bfloat16", "full")
    assert accelerator == [("growth", "GPU:0", True)]


def test_an_accelerator_is_left_alone_when_the_cpu_is_asked_for(accelerator):
    found = device.set_up(compute("compute.device=cpu"))
    assert not found.accelerated and accelerator == [("GPU", [])]


def test_what_is_asked_for_is_taken(accelerator):
    asked = ["compute.precision=float16", "compute.xla=off", "compute.threads=3"]
    found = device.set_up(compute(*asked, "compute.deterministic=true"))
    assert (found.precision, found.xla) == ("float16", "off")
    assert ("threads", 3) in accelerator and "deterministic" in accelerator


@pytest.mark.usefixtures("accelerator")
def test_facts_are_what_a_run_must_keep():
    assert device.set_up(compute()).facts() == {
        "device": "Abacus", "precision": "bfloat16", "xla": "full"
    }  # fmt: skip


@pytest.mark.usefixtures("accelerator")
def test_an_accelerator_that_is_missing_is_an_error(monkeypatch):
    fake = device.quiet_tensorflow()
    monkeypatch.setattr(fake.config, "list_physical_devices", lambda _: [])
    with pytest.raises(ConfigError, match=r"no accelerator.*compute.device=cpu"):
        device.set_up(compute("compute.device=gpu"))
    assert not device.set_up(compute()).accelerated


def test_deterministic_tensorflow_refuses_random_numbers_without_seed():
    code = (
        "from dreamerv3_tf import presets; from dreamerv3_tf.run import device\n"
        "device.set_up(presets.load('dummy_disc').compute)\n"
        "import tensorflow as tf; tf.random.normal([2])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode and "seed to be set when determinism" in done.stderr
