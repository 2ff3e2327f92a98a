"""What the tests of the real games share: fakes in place of what can't be installed."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import tarfile
import zipfile

import pytest

HERE = pathlib.Path(__file__).resolve().parent
FAKES = HERE / "fakes"
ROOT = HERE.parents[2]

sys.path.insert(0, str(HERE))  # so that tests can import the modules beside them


@pytest.fixture(scope="session", autouse=True)
def fakes_are_importable():
    """Lets tests write `import fake_minerl`."""
    sys.path.insert(0, str(FAKES))
    yield
    sys.path.remove(str(FAKES))


@pytest.fixture
def minerl_interpreter(tmp_path, monkeypatch):
    """Makes a function that gives every new interpreter a fake package minerl.

    Its argument is an expression for a function of `size` and `break_speed` that makes
    the game, with the modules of `fakes/` at hand.
    """

    def give(game, version="0.4.4"):
        site = tmp_path / "site"
        (site / "minerl" / "Malmo" / "run").mkdir(parents=True, exist_ok=True)
        (site / f"minerl-{version}.dist-info").mkdir(exist_ok=True)
        (site / "minerl" / "Malmo" / "run" / "options.txt").write_text(
            "gamma:2.0\nlang:en_us\n"
        )
        (site / "minerl" / "__init__.py").write_text(
            f"import fake_minerl, still\nfake_minerl.install({game})\n"
        )
        path = [str(site), str(FAKES), str(ROOT), os.environ.get("PYTHONPATH", "")]
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path))
        return site

    return give


def download(requirement, folder, *options):
    """A file from the package registry, without what it depends on; or skips."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--disable-pip-version-check", "--no-build-isolation", "--retries=1"]
    command += ["--timeout=20", "--dest", str(folder), *options, requirement]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    files = list(folder.iterdir())
    if done.returncode or len(files) != 1:
        words = done.stderr.strip().splitlines()[-1:] or ["no file"]
        pytest.skip(f"{requirement} can't be downloaded from the registry: {words[0]}")
    return files[0]


@pytest.fixture(scope="session")
def diamond_env_folder(tmp_path_factory):
    """Folder with the published package diamond_env 1.0.3."""
    folder = tmp_path_factory.mktemp("diamond_env")
    file = download("diamond_env==1.0.3", folder, "--no-binary=:all:")
    with tarfile.open(file) as archive:
        archive.extractall(folder, filter="data")
    return folder / "diamond_env-1.0.3"


@pytest.fixture(scope="session")
def craftground_folder(tmp_path_factory):
    """Folder with the published package craftground 2.7.4."""
    folder = tmp_path_factory.mktemp("craftground")
    file = download("craftground==2.7.4", folder, "--only-binary=:all:")
    with zipfile.ZipFile(file) as archive:
        archive.extractall(folder)
    return folder
