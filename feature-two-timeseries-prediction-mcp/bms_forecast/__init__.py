"""What a cell will do next, with intervals: `bms_forecast.CellForecaster` and the MCP server around it."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bms_forecast.forecaster import CellForecaster

__version__ = "0.1.0"
__all__ = ["CellForecaster"]


def __getattr__(name: str) -> Any:
    """Import the forecaster when it is first asked for: the server must start without pandas."""
    if name == "CellForecaster":
        from bms_forecast.forecaster import CellForecaster

        return CellForecaster
    raise AttributeError(f"module 'bms_forecast' has no attribute '{name}'")
