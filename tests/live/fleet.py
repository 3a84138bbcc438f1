"""A small simulated fleet, trained on through the servers' own workflows, and sent as a client would send it."""

from typing import Any

import pandas as pd
from bms_generate.simulate import simulate_fleet
from bms_schema.run.jobs import Work, execute
from bms_schema.run.run_folder import Run


def small_fleet(seed: int = 3) -> pd.DataFrame:
    """Return readings of two strings of four cells over 16 days; a cell of each dies."""
    fleet = simulate_fleet(
        n_strings=2, cells_per_string=4, days=16, interval_minutes=180, seed=seed, death_fraction=0.25
    )
    return fleet.readings.drop(columns="StateOfCharge")


def as_readings(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows as JSON objects: times as ISO text, missing readings as null."""
    times = frame.select_dtypes("datetime").apply(lambda column: column.dt.strftime("%Y-%m-%dT%H:%M:%S"))
    text = frame.assign(**times)
    return text.astype(object).where(text.notna(), None).to_dict("records")


def completed(work: Work) -> Any:
    """Do a tool's work in a published run, as the MCP boundary does; return its data."""
    envelope, _ = execute(work, Run("test", "test"))
    assert envelope.status == "success", envelope.message
    return envelope.data
