"""What a battery engineer should look at first, in sentences drawn from what was seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bms_schema.data.columns import COLUMNS

from bms_preprocess.finding import Finding
from bms_preprocess.findings_cells import deviating, float_window, limits, silent, zeros
from bms_preprocess.findings_columns import (
    ambient,
    constant,
    current_sign,
    never_measured,
    sparse,
    string_total,
    units,
)
from bms_preprocess.findings_sensors import few_cells, spikes, stuck
from bms_preprocess.findings_time import gaps, scattered, stamps

if TYPE_CHECKING:
    from bms_preprocess.quality import PartQuality

SHOWN = 12  # on the page; the JSON has all


def find(report: Mapping[str, Any]) -> list[Finding]:
    """Return the findings of a report, the most severe first."""
    return [Finding(**found) for found in report["findings"]]


def find_all(seen: PartQuality, record: Mapping[str, Any]) -> list[Finding]:
    """Return every finding but those on filling.

    Args:
        seen: The merged part.
        record: From `report_record`.
    """
    return [
        *limits(seen, record),
        *float_window(seen, record),
        *silent(seen),
        *deviating(seen),
        *stuck(seen, record),
        *spikes(seen, record),
        *current_sign(seen),
        *units(record),
        *string_total(seen),
        *zeros(seen, record),
        *never_measured(record),
        *ambient(record),
        *sparse(record),
        *constant(record),
        *gaps(seen, record),
        *stamps(record),
        *scattered(seen),
        *few_cells(seen),
    ]


def filling_finding(filled: Mapping[str, int], checks: Mapping[str, Mapping[str, Any]]) -> list[Finding]:
    """Return a finding where filled values are no better than the column's mean.

    Args:
        filled: Readings filled, by column.
        checks: `rmse`, `mean_rmse` and `unit` on hidden readings, by column.
    """
    useless = [
        f"{COLUMNS[name].label} ({check['rmse']:.3g} against {check['mean_rmse']:.3g} {check['unit']}".rstrip()
        + ")"
        for name, check in checks.items()
        if filled.get(name) and check["rmse"] > 0.95 * check["mean_rmse"]
    ]
    if not useless:
        return []
    text = (
        f"{', '.join(useless)}: on hidden readings the filled values are no better than the column's mean. Do not "
        "read anything into them; the flags tell which they are."
    )
    return [Finding("note", "Filled values that carry no information", text)]
