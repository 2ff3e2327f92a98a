"""What XLA compiled is found again by the next process, unless it is broken."""

import os
import subprocess
import sys

import pytest

from dreamerv3_tf.run import compilation

PROGRAM = """
from dreamerv3_tf import presets
from dreamerv3_tf.run import device
device.set_up(presets.load("dummy_disc", ["debug"], ["compute.device=cpu"]).compute)
import tensorflow as tf

@tf.function(jit_compile=True)
def double(x):
    return tf.tanh(x @ x) * 2

print(float(tf.reduce_sum(double(tf.ones((3, 3))))))
"""


@pytest.fixture
def clean(monkeypatch):
    """No flags of the environment that runs the tests."""
    for name in ("XLA_FLAGS", "TF_XLA_FLAGS"):
        monkeypatch.setenv(name, "")


def sealed(folder, name, content=b"code"):
    entry = folder / f"{name}.pb"
    entry.write_bytes(content)
    compilation.checksum_path(entry).write_text(compilation.checksum(entry))
    return entry


@pytest.mark.usefixtures("clean")
def test_flags_that_are_set_already_stay(monkeypatch):
    compilation.set_flags()
    assert os.environ["XLA_FLAGS"] == " ".join(compilation.XLA_FLAGS)
    mine = "--xla_dump_to=x --xla_cpu_use_fusion_emitters=true"
    monkeypatch.setenv("XLA_FLAGS", mine)
    compilation.set_flags()
    assert os.environ["XLA_FLAGS"] == mine


def test_other_settings_have_another_folder():
    names = {compilation.fingerprint(facts) for facts in ((1, True), (2, True), (1,))}
    assert len(names) == 3


@pytest.mark.usefixtures("clean")
def test_a_folder_that_the_user_chose_stays(monkeypatch, tmp_path):
    monkeypatch.setenv("DREAMERV3_TF_CACHE", str(tmp_path))
    monkeypatch.setenv("TF_XLA_FLAGS", f"{compilation.DIRECTORY}=")
    assert compilation.keep_programs() is None and not any(tmp_path.iterdir())


@pytest.mark.usefixtures("clean")
def test_a_folder_that_cannot_be_made_is_told(monkeypatch, tmp_path, capsys):
    (tmp_path / "file").touch()
    monkeypatch.setenv("DREAMERV3_TF_CACHE", str(tmp_path / "file"))
    assert compilation.keep_programs() is None
    assert "set DREAMERV3_TF_CACHE" in capsys.readouterr().err
    assert os.environ["TF_XLA_FLAGS"] == ""


def test_only_whole_and_sealed_entries_stay(tmp_path):
    good, torn = sealed(tmp_path, "good"), sealed(tmp_path, "torn")
    torn.write_bytes(b"cod")
    (tmp_path / "unsealed.pb").write_bytes(b"code")
    compilation.sweep(tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"good.pb", "good.crc32"} and good.read_bytes() == b"code"


def test_the_oldest_entries_go_when_there_are_too_many(tmp_path, monkeypatch):
    monkeypatch.setattr(compilation, "LARGEST", 9)
    for index in range(3):  # of 4 bytes each: the two newest fit
        os.utime(sealed(tmp_path, str(index)), (1000 + index, 1000 + index))
    compilation.sweep(tmp_path)
    assert sorted(path.stem for path in tmp_path.glob("*.pb")) == ["1", "2"]


def run(folder):
    env = {k: v for k, v in os.environ.items() if "XLA_FLAGS" not in k}
    env["DREAMERV3_TF_CACHE"] = str(folder)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, env=env
    )
    assert done.returncode == 0, done.stderr
    return float(done.stdout)


def test_the_next_process_finds_what_was_compiled_and_survives_a_broken_entry(tmp_path):
    want = run(tmp_path)
    (entry,) = tmp_path.glob("xla/*/*.pb")
    written = entry.stat().st_mtime_ns
    assert compilation.checksum_path(entry).exists()
    assert run(tmp_path) == want and entry.stat().st_mtime_ns == written
    entry.write_bytes(entry.read_bytes()[:-100])
    assert run(tmp_path) == want and entry.stat().st_mtime_ns != written
