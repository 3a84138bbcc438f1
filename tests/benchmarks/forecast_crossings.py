"""Whether chances to cross a limit come true: `uv run python tests/benchmarks/forecast_crossings.py [--seeds ...]`.

Simulated fleets of 6 strings x 6 cells, hourly: a model from the first 30 days, then 19 forecasts of 24 h over
the next 20 days, one a day at another hour each. Of every cell inside the limit at the origin: was the limit
crossed within 24 h, and what chance was told? Beside the chance told stands the largest chance of any one step,
which is all that quantiles alone can say. Brier score: mean square of chance minus 0/1; "climatology" is that
of the share that crossed over all, which no forecaster knows beforehand. Cells of a string cross together: the
figures rest on as many independent events as there are outages, not cells.
"""

import argparse

import numpy as np
import pandas as pd
from bms_forecast.alarms import quantile_table
from bms_forecast.crossing import chances_beyond
from bms_forecast.forecaster import CellForecaster
from bms_forecast.grid import ID, VALUE, WHEN
from bms_forecast.needs import REQUIRED
from bms_forecast.targets import TargetFrames
from bms_generate.simulate import simulate_fleet
from bms_schema.data.columns import TEMPERATURE, TIMESTAMP, VOLTAGE
from bms_schema.data.table import canonical_table

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
LEARNT_DAYS, TESTED_DAYS, STEPS = 30, 20, 24
EVENTS = ((VOLTAGE, 2.13, False), (VOLTAGE, 2.07, False), (TEMPERATURE, 30.0, True))
BINS = (0.0, 0.02, 0.1, 0.2, 0.4, 0.7, 1.0)


def chances(seed: int) -> pd.DataFrame:
    """Return one row per event, origin and cell inside the limit: `event`, `crossed`, `courses`, `one_step`."""
    fleet = simulate_fleet(
        n_strings=6, cells_per_string=6, days=LEARNT_DAYS + TESTED_DAYS, interval_minutes=60, seed=seed
    )
    frame = canonical_table(fleet.readings, require=REQUIRED).frame
    begin = frame[TIMESTAMP].min()
    rows: list[dict] = []
    for target in (VOLTAGE, TEMPERATURE):
        learnt = frame[frame[TIMESTAMP] < begin + pd.Timedelta(days=LEARNT_DAYS)].reset_index(drop=True)
        forecaster = CellForecaster(STEPS, LEVELS, seed).fit(TargetFrames(learnt).tidy(target))
        whole = TargetFrames(frame).tidy(target)
        for day in range(TESTED_DAYS - 1):
            origin = begin + pd.Timedelta(days=LEARNT_DAYS + day, hours=(7 * day) % 24)
            rows += _at(origin, whole, forecaster, [event for event in EVENTS if event[0] == target])
    return pd.DataFrame(rows)


def _at(
    origin: pd.Timestamp, whole: pd.DataFrame, forecaster: CellForecaster, events: list[tuple]
) -> list[dict]:
    known = whole[whole[WHEN] <= origin]
    ahead = whole[(whole[WHEN] > origin) & (whole[WHEN] <= origin + pd.Timedelta(hours=STEPS))]
    forecast = forecaster.predict(known)
    quantiles, levels = quantile_table(forecast)
    cells = forecast[ID].to_numpy()[::STEPS]
    last = known.dropna(subset=[VALUE]).groupby(ID)[VALUE].last()
    rows = []
    for target, limit, above in events:
        beyond = ahead[VALUE] > limit if above else ahead[VALUE] < limit
        crossed = beyond.groupby(ahead[ID]).any()
        for cell, own in zip(cells, quantiles.reshape(len(cells), STEPS, -1), strict=True):
            if (last[cell] > limit) if above else (last[cell] < limit):
                continue
            told, alone = (
                chances_beyond(own, levels, limit, above=above, courses=courses).within[-1]
                for courses in (forecaster.fitted.courses, None)
            )
            event = f"{target} {'>' if above else '<'} {limit:g}"
            rows.append({"event": event, "crossed": crossed[cell], "courses": told, "one_step": alone})
    return rows


def main() -> None:
    """Print, per event, the Brier scores and how often what was told came true."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(100, 106)))
    table = pd.concat([chances(seed) for seed in parser.parse_args().seeds], ignore_index=True)
    for event, own in table.groupby("event"):
        crossed = own["crossed"].to_numpy(dtype=float)
        print(f"\n{event} within {STEPS} h: {len(own)} forecasts, crossed {crossed.mean():.4f}")
        print(f"  climatology  Brier {np.mean((crossed - crossed.mean()) ** 2):.4f}")
        for name in ("courses", "one_step"):
            told = own[name].to_numpy()
            print(f"  {name:11}  Brier {np.mean((told - crossed) ** 2):.4f}  mean chance {told.mean():.4f}")
        grouped = own.groupby(pd.cut(own["courses"], BINS, include_lowest=True), observed=True)
        for _, inside in grouped:
            mean, came = inside["courses"].mean(), inside["crossed"].mean()
            print(f"    told {mean:.2f}, came true {came:.2f}  ({len(inside)})")


if __name__ == "__main__":
    main()
