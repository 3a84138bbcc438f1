"""The examples in docstrings are run."""

import doctest
import importlib
import pkgutil

import pytest

PACKAGES = (
    "bms_schema",
    "bms_preprocess",
    "bms_generate",
    "bms_anomaly",
    "bms_forecast",
    "bms_failure",
    "bms_live",
    "bms_driver",
)


def modules():
    for name in PACKAGES:
        package = importlib.import_module(name)
        yield name
        yield from (item.name for item in pkgutil.walk_packages(package.__path__, f"{name}."))


@pytest.mark.parametrize("name", list(modules()))
def test_examples_in_docstrings_hold(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0
