"""The glossary knows what this package logs."""

import pathlib

import pytest

from dreamerv3_tf.record.clock import Timer
from dreamerv3_tf.record.glossary import GLOSSARY, describe, glossary_table
from dreamerv3_tf.record.usage import Usage


def test_names_and_patterns_are_described():
    assert describe("loss/dyn") == GLOSSARY["loss/dyn"]
    assert describe("loss/image") == GLOSSARY["loss/<key>"]
    assert describe("episode/log/food/max") == GLOSSARY["episode/<key>/max"]
    assert describe("behavior/ent/move") == GLOSSARY["behavior/ent/<action>"]


def test_an_unknown_name_is_an_error_with_the_nearest_names():
    with pytest.raises(KeyError, match=r"opt/grad_nrm.*opt/grad_norm"):
        describe("opt/grad_nrm")
    with pytest.raises(KeyError):
        describe("loss")


def test_what_this_package_measures_is_in_the_glossary(tmp_path):
    usage = Usage(tmp_path, lambda: {"current": 1, "peak": 1})
    for name in usage.metrics():
        assert f"usage/{name}" in GLOSSARY
    timer = Timer()
    with timer("train"):
        pass
    for name in timer.metrics():
        assert describe(f"time/{name}")


def test_the_table_has_a_row_per_metric():
    rows = glossary_table().splitlines()
    assert len(rows) == len(GLOSSARY) + 2
    assert all(row.count("|") == 3 for row in rows)


def test_the_readme_shows_the_glossary():
    readme = pathlib.Path(__file__).parents[2] / "README.md"
    assert glossary_table().strip() in readme.read_text(encoding="utf-8")
