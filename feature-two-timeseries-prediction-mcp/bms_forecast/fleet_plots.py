"""The cells most likely to leave their window, side by side."""

from bms_schema.data.columns import CELL_ID

from bms_forecast.alarms import Crossing
from bms_forecast.fleet import FleetForecast
from bms_forecast.grid import ID, VALUE, WHEN
from bms_forecast.plots import Panel, prepare_panel
from bms_forecast.results import RiskyCell

COLUMNS_OF_PANELS = 2


def prepare_fleet(
    fleet: FleetForecast, risky: list[RiskyCell], crossings: dict[str, list[Crossing]], most: int = 10
) -> list[Panel]:
    """Return a panel per risky cell, of the target of its likeliest alarm; without any, of the first cells."""
    if risky:
        chosen = [(cell.cell_id, cell.target, f"{cell.cell_id}: {cell.words}") for cell in risky]
    else:
        target, item = next(iter(fleet.targets.items()))
        chosen = [(cell, target, cell) for cell, _ in item.per_cell[:most]]
    return [_panel(fleet, cell, target, crossings.get(cell, []), title) for cell, target, title in chosen]


def _panel(fleet: FleetForecast, cell: str, target: str, crossings: list[Crossing], title: str) -> Panel:
    item = fleet.targets[target]
    name = dict(item.per_cell)[cell]
    own = fleet.history.loc[fleet.history[CELL_ID].astype(str) == cell].dropna(subset=[target])
    history = own.rename(columns={"Timestamp": WHEN, target: VALUE})[[WHEN, VALUE]]
    forecast = item.forecast[item.forecast[ID] == name].drop(columns=ID)
    judged = [one for one in crossings if one.limit.target == target]
    return prepare_panel(target, history, forecast, judged, title)
