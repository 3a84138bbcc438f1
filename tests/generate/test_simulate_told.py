"""SIMULATOR.md tells what the code does."""

import re
from pathlib import Path

import bms_generate.simulator
import pytest
from bms_generate.simulator.chemistry import CHEMISTRIES
from bms_generate.simulator.mixes import FAULT_PATTERN, SENSOR_FAULTS

PACKAGE = Path(bms_generate.simulator.__file__).parent
TEXT = (PACKAGE.parents[1] / "SIMULATOR.md").read_text(encoding="utf-8")


def table(first_cell: str) -> list[list[str]]:
    """Return the rows below the header that begins with `first_cell`."""
    (body,) = re.findall(rf"^\| {first_cell}\|.*\n\|-.*\n((?:\|.*\n)+)", TEXT, flags=re.MULTILINE)
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in body.splitlines()]


def test_the_chemistry_table_has_the_figures_of_the_code():
    for name, *values in table(r"\| lead_acid_flooded \| vrla \| li_ion "):
        for chemistry, value in zip(("lead_acid_flooded", "vrla", "li_ion"), values, strict=True):
            attribute = re.match(r"\w+", name)[0]
            assert float(value) == getattr(CHEMISTRIES[chemistry], attribute), (name, chemistry)


def test_every_kind_of_fault_is_told_with_whose_it_is():
    told = {kind: whose for kind, whose, _ in table("kind \\| of \\| what is logged ")}
    assert told == {kind: "sensor" if kind in SENSOR_FAULTS else "the cell" for kind in FAULT_PATTERN}


@pytest.mark.parametrize("module", sorted(path.name for path in PACKAGE.glob("*.py")))
def test_the_constants_of_every_module_have_their_source_told(module: str):
    has_constants = re.search(
        r"^[A-Z][A-Z_]+.* = .*\d", (PACKAGE / module).read_text(encoding="utf-8"), re.MULTILINE
    )
    if has_constants:
        assert re.search(rf"^\| {module} \|", TEXT, re.MULTILINE)
