"""What the endpoints take: readings, the model version, and the question's own options."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, FailFast, Field, JsonValue

MAX_READINGS = 200_000
MAX_COLUMNS = 200
MAX_STEPS = 10_000  # as predict_cell_timeseries
LONGEST_TEXT = 1_000
# Bounded text is also checked to be valid Unicode; an integer beyond 64 bits is read as a float.
Text = Annotated[str, Field(max_length=LONGEST_TEXT)]
Integer = Annotated[int, Field(ge=-(2**63), lt=2**63)]
Scalar = Text | float | Integer | bool | None
ChemistryOption = Literal[
    "auto", "lead_acid_flooded", "vrla", "li_ion"
]  # importing the schema's loads pandas
Reading = dict[Text, Scalar]


def _example(cells: int, moments: int) -> list[JsonValue]:
    """A string of cells over a few hours, with column names as a BMS export may have them."""
    return [
        {
            "StringID": "S1",
            "CellNumber": cell,
            "PacketDateTime": f"2026-01-01T{hour:02d}:00:00",
            "CellVoltage": 2.25 - 0.04 * (cell == cells) + 0.001 * hour,
            "CellTemperature": 25.0,
            "InstantaneousCurrent": 0.2,
            "AmbientTemperature": 22.0,
            "CellSpecificGravity": 1.215,
        }
        for hour in range(moments)
        for cell in range(1, cells + 1)
    ]


class Readings(BaseModel):
    """Readings of one or several strings, as far back as the answer should look."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"readings": _example(3, 2), "model": "latest"}]}
    )

    readings: Annotated[
        list[Reading],
        FailFast(),
        Field(
            min_length=1,
            max_length=MAX_READINGS,
            description=(
                "One object per reading. Canonical names (Cell ID, string, Timestamp, CellVoltage [V], "
                "CellTemperature [°C], InstantaneousCurrent [A], AmbientTemperature [°C], CellSpecificGravity) "
                "or those of a BMS export; null where there is no reading. Send all cells of a string: a cell "
                "is judged against it."
            ),
        ),
    ]
    model: str = Field(
        default="latest",
        min_length=1,
        max_length=200,
        description="'latest' or a version that GET /models lists.",
    )
    chemistry: ChemistryOption = Field(
        default="auto", description="Sets plausible voltages; 'auto' decides by the readings."
    )


class AnomalyRequest(Readings):
    """Which readings behave oddly?"""

    rows: Literal["latest", "all"] = Field(
        default="latest",
        description=(
            "'latest': the newest reading of every cell, scored without hindsight; 'all': every reading, scored "
            "with hindsight, as detect_anomalies does."
        ),
    )


class FailureRequest(Readings):
    """Which cells are likely to die?"""

    horizon_days: int | None = Field(
        default=None,
        ge=1,
        le=365,
        description="Days ahead that 'risk' is for; null takes what the model was judged at, and no risk is "
        "claimed beyond the model's last horizon.",
    )


class ForecastRequest(Readings):
    """What will a cell do next?"""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"readings": _example(1, 10), "cell_id": "S1/1", "steps": 24, "model": "latest"}]
        },
    )

    cell_id: str = Field(
        min_length=1, max_length=300, description="The cell, as /predict/anomaly names it, e.g. 'S1/2'."
    )
    steps: int = Field(default=24, ge=1, le=MAX_STEPS, description="How many sampling steps ahead.")
