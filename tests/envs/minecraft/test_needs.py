"""What the real games need is found, or missed, as it is on the machine."""

import os
import sys

import pytest

from dreamerv3_tf.envs.minecraft import needs


def by_name(findings):
    return {finding.name: finding for finding in findings}


@pytest.fixture
def java(tmp_path, monkeypatch):
    """Makes a function that puts a Java of some version into JAVA_HOME."""

    def give(text):
        program = tmp_path / "bin" / "java"
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\necho '{text}' >&2\n")
        program.chmod(0o755)
        monkeypatch.setenv("JAVA_HOME", str(tmp_path))

    return give


@pytest.mark.parametrize(
    "text, version",
    [
        ('openjdk version "1.8.0_392"', 8),
        ('java version "21"', 21),
        ('openjdk version "21.0.4" 2024-07-16 LTS', 21),
        ('openjdk version "17.0.15" 2025-04-15', 17),
    ],
)
def test_the_version_of_java_is_read(java, text, version):
    java(text)
    for wanted in (8, 21):
        finding = needs.java(wanted, "Why")
        assert finding.ok is (version == wanted)
        assert finding.found.endswith(f"is Java {version}")


def test_a_java_that_says_nothing_or_fails_is_told(java, monkeypatch):
    java("no such option")
    assert "does not tell its version" in needs.java(8, "Why").found
    monkeypatch.setenv("JAVA_HOME", "/nowhere")
    assert "does not run" in needs.java(8, "Why").found


def test_minerl_is_all_right_where_everything_is_there(
    minerl_interpreter, java, monkeypatch
):
    java('openjdk version "1.8.0_392"')
    monkeypatch.setenv("DISPLAY", ":7")
    site = minerl_interpreter("still.Still", version="0.4.4")
    found = by_name(needs.find("minerl", {}))
    assert all(finding.ok or not finding.needed for finding in found.values())
    assert not found["brightness"].ok and "gamma 2.0" in found["brightness"].found
    assert needs.missing("minerl", {"minerl_python": sys.executable}) == ""
    (site / "minerl" / "Malmo" / "run" / "options.txt").write_text("gamma:5.0\n")
    assert by_name(needs.find("minerl", {}))["brightness"].ok


def test_another_version_of_minerl_is_refused(minerl_interpreter):
    minerl_interpreter("still.Still", version="1.0.2")
    version = by_name(needs.find("minerl", {}))["version"]
    assert not version.ok and version.needed and "1.0.2" in version.found


def test_an_interpreter_that_is_not_there_is_told():
    found = by_name(needs.find("minerl", {"minerl_python": "/nowhere/python"}))
    assert not found["interpreter"].ok and "can't be run" in found["interpreter"].found
    assert "minerl" not in found
    assert "interpreter: it can't be run" in needs.missing(
        "minerl", {"minerl_python": "/nowhere/python"}
    )


def test_a_runtime_folder_needs_its_gradlew(tmp_path):
    settings = {"craftground_runtime": str(tmp_path)}
    assert not by_name(needs.find("craftground", settings))["runtime"].ok
    (tmp_path / "gradlew").write_text("")
    assert by_name(needs.find("craftground", settings))["runtime"].ok


def test_a_virtual_display_is_suggested_where_there_is_one(tmp_path, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    (tmp_path / "xvfb-run").write_text("")
    os.chmod(tmp_path / "xvfb-run", 0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "xvfb-run is here" in needs.display().found
    monkeypatch.setenv("DISPLAY", ":1")
    assert needs.display().ok


def test_the_voxel_world_needs_packages_only():
    found = needs.find("voxel", {})
    assert [finding.name for finding in found] == ["numba", "PIL"]
    assert all(finding.ok for finding in found)
