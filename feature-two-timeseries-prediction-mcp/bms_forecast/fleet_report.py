"""Tables and words of a fleet's forecast."""

import numpy as np
import pandas as pd
from bms_schema.data.columns import CELL_ID, TIMESTAMP
from bms_schema.run.wording import counted

from bms_forecast.fleet import FleetForecast, TargetFleet, some
from bms_forecast.grid import ID, WHEN
from bms_forecast.report import BANDS, VALUES, method_used, per_target, split_words
from bms_forecast.results import FleetMetrics, RiskyCell
from bms_forecast.risk import Place

MOST_TOLD = 10


def fleet_table(fleet: FleetForecast) -> pd.DataFrame:
    """Return `Cell ID`, `Timestamp`, `target`, the values, `method`; a row per cell, target and step.

    What a whole string shares (its current) is told for each of its cells.
    """
    parts = []
    for target, item in fleet.targets.items():
        pairs = pd.DataFrame(item.per_cell, columns=[CELL_ID, ID])
        pairs["method"] = [method_used(item.tests[name], item.state) for name in pairs[ID]]
        own = pairs.merge(item.forecast, on=ID, sort=False)
        parts.append(own.rename(columns={WHEN: TIMESTAMP, **BANDS}).assign(target=target))
    whole = pd.concat(parts, ignore_index=True)
    return whole[[CELL_ID, TIMESTAMP, "target", *VALUES, "method"]]


def fleet_metrics(item: TargetFleet) -> FleetMetrics:
    """Return one target's figures over its cells; None where no cell could be tested."""
    tests = [item.tests[name] for _, name in item.per_cell]
    scores = pd.DataFrame([vars(test.scores) for test in tests]).drop(columns="naive")
    scores = scores[scores["readings"] > 0]
    covered = np.sort(scores["coverage"].dropna().to_numpy())
    middle = scores.median()
    return FleetMetrics(
        cells=len(tests),
        tested=len(scores),
        skill=middle["skill"],
        mase=middle["mase"],
        naive_mase=middle["naive_mase"],
        wql=middle["wql"],
        naive_wql=middle["naive_wql"],
        coverage90=middle["coverage"],
        coverage50=middle["coverage50"],
        coverage90_worst_tenth=covered[: max(len(covered) // 10, 1)].mean() if len(covered) else None,
        method=pd.Series([test.method for test in tests]).mode().iloc[0],
    )


def fleet_split(fleet: FleetForecast) -> str:
    """Say how the history of each target was divided; of its cells, the first that could be tested speaks."""

    def words(target: str) -> str:
        item = fleet.targets[target]
        tests = list(item.tests.values())
        return split_words(next((test for test in tests if not test.table.empty), tests[0]), item.state)

    return f"{per_target(fleet.targets, words)}; medians over cells"


def first_of(risk: pd.DataFrame, place: Place) -> list[RiskyCell]:
    """Return the first ten cells of a risk table that are at that place."""
    rows = risk[risk["place"] == place].head(MOST_TOLD)
    return [
        RiskyCell(
            cell_id=str(row[CELL_ID]),
            probability=round(float(row["probability"]), 4),
            target=str(row["target"]),
            words=str(row["words"]),
        )
        for _, row in rows.iterrows()
    ]


def fleet_message(
    fleet: FleetForecast, risk: pd.DataFrame, risky: list[RiskyCell], metrics: dict[str, FleetMetrics]
) -> str:
    """Say which cells to look at first and how far the forecasts can be trusted."""
    step_s = next(iter(fleet.targets.values())).step_s
    opening = f"{counted(len(fleet.cells), 'cell')}, {counted(fleet.steps, 'step')} of {step_s:g} s"
    outside = risk.loc[risk["place"] == "outside", CELL_ID].tolist()
    watch = f" Outside their window already: {some(outside)}." if outside else ""
    if risky:
        watch += f" Most likely to leave it: {'; '.join(f'{cell.cell_id}: {cell.words}' for cell in risky)}."
    elif not outside:
        watch = " No limit applies to what was measured, so no cell is ranked."
    figures = "; ".join(
        f"{name} {item.skill:.2f}" for name, item in metrics.items() if item.skill is not None
    )
    trust = f" Median skill over the better naive forecast: {figures}." if figures else ""
    return f"{opening}.{watch}{trust}"
