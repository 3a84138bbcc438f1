"""The one table of columns: name, unit, aliases, plausible range with its source, sentinel values.

Column names are compared without case, spaces, underscores, hyphens and dots: `Site ID` = `site_id` = `SiteID`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

CELL_ID, STRING, TIMESTAMP, SOURCE_ROW, IS_DEAD = "Cell ID", "string", "Timestamp", "source_row", "IsDead"
VOLTAGE, TEMPERATURE, CURRENT = "CellVoltage", "CellTemperature", "InstantaneousCurrent"
AMBIENT, GRAVITY, SOC = "AmbientTemperature", "CellSpecificGravity", "StateOfCharge"
STRING_VOLTAGE = "StringVoltage"
FLAG_SUFFIX = "_flag"

# Full-scale readings of 16- and 32-bit registers, in the scalings that real exports show; float32's lowest value.
_REGISTER_16 = (65535.0, 6553.5, 655.35, 32767.0, 3276.7, 327.67, 32768.0, -32768.0, -3276.8, -327.68)
_REGISTER_32 = (4294967295.0, 2147483647.0, -2147483648.0, -3.4028234663852886e38)
NO_ANSWER = _REGISTER_16 + _REGISTER_32
_BEYOND_READINGS = tuple(value for value in NO_ANSWER if abs(value) > 1000.0)  # hundreds of A and V are real
PROBE_NOT_FITTED = (255.0, 511.0)  # 8- and 9-bit registers of temperature inputs without a probe


@dataclass(frozen=True)
class Column:
    """One canonical column.

    Args:
        name: Canonical name.
        unit: Unit as printed on axes; empty for identifiers.
        label: Name for people.
        low: Lowest plausible value; anything below is no reading.
        high: Highest plausible value.
        source: Where the range comes from.
        sentinels: Values that mean "no answer".
        aliases: Other names in real exports, best first.
    """

    name: str
    unit: str
    label: str
    low: float = float("-inf")
    high: float = float("inf")
    source: str = ""
    sentinels: tuple[float, ...] = ()
    aliases: tuple[str, ...] = field(default=())

    @property
    def axis_label(self) -> str:
        """Label with the unit, for axes."""
        return f"{self.label} [{self.unit}]" if self.unit else self.label


# Voltage ranges stand in the chemistry profile, because they depend on the cell.
SENSORS: tuple[Column, ...] = (
    Column(
        VOLTAGE,
        "V",
        "Cell voltage",
        source="chemistry profile",
        sentinels=(65.535, 59.749, *NO_ANSWER),
        aliases=("Cell Voltage", "VCell", "Voltage_measured", "Voltage (Calibrated)", "Voltage", "U"),
    ),
    Column(
        TEMPERATURE,
        "°C",
        "Cell temperature",
        -40.0,
        100.0,
        "[U] range of a thermistor input; water boils above",
        (65.535, 59.749, *PROBE_NOT_FITTED, *NO_ANSWER),
        (
            "Cell Temperature",
            "CellTemp",
            "Temperature_measured",
            "Battery Temp (Calibrated)",
            "Temperature",
            "Temp",
            "T",
        ),
    ),
    Column(
        CURRENT,
        "A",
        "String current",
        -5000.0,
        5000.0,
        "[U] largest shunts in stationary practice",
        _BEYOND_READINGS,
        (
            "Instantaneous Current",
            "StringCurrent",
            "BatteryCurrent",
            "Current_measured",
            "Current (Calibrated)",
            "Current",
            "BMSBatteryCurrent",
            "Iinst",
            "Iavg",
            "A",
        ),
    ),
    Column(
        AMBIENT,
        "°C",
        "Ambient temperature",
        -50.0,
        70.0,
        "[U] coldest and hottest inhabited places with margin",
        (65.535, 59.749, *PROBE_NOT_FITTED, *NO_ANSWER),
        ("Ambient Temperature", "AmbientTemp", "Ambient Temp", "RoomTemperature"),
    ),
    Column(
        GRAVITY,
        "",
        "Specific gravity",
        1.0,
        1.4,
        "[U] pure water 1.000; concentrated battery acid stays below 1.4",
        (65.535, 59.749, 6.5535, *NO_ANSWER),
        ("Cell Specific Gravity", "SpecificGravity", "Gravity", "SG"),
    ),
)
STATE_OF_CHARGE = Column(
    SOC,
    "%",
    "State of charge",
    0.0,
    100.0,
    "definition",
    (255.0, *NO_ANSWER),
    ("SOC", "SocLatestValueForEveryCycle", "PackSOC", "vehBMSPackSOC"),
)
MEASURED: tuple[Column, ...] = (*SENSORS, STATE_OF_CHARGE)
# Cleaned and flagged like a reading where a file has it, but never required, imputed or scaled.
STRING_TOTAL = Column(
    STRING_VOLTAGE,
    "V",
    "String voltage",
    0.0,
    2000.0,
    "[U] 1,500 V DC plants with margin",
    _BEYOND_READINGS,
    ("String Voltage", "PackVoltage", "BMSBatteryVoltage", "TotalVoltage", "Vtot"),
)
# A usual BMS's resolution [U], in the column's unit: no robust sigma of a cell's own signal is believed below it.
RESOLUTION = {VOLTAGE: 0.002, TEMPERATURE: 0.2, GRAVITY: 0.001}

IDENTIFIERS: tuple[Column, ...] = (
    # `CellNumber` and its like count within a string; `Cell ID` may be unique already.
    Column(
        CELL_ID, "", "Cell", aliases=("CellNumber", "Cell No", "CellIndex", "Cell", "battery_id", "baterryNo")
    ),
    Column(
        STRING, "", "String", aliases=("StringID", "StringNumber", "StringName", "BankID", "BatteryString")
    ),
    Column(
        TIMESTAMP,
        "",
        "Time",
        aliases=(
            "PacketDateTime",
            "DateTime",
            "Date Time",
            "tboxTime",
            "RecordTime",
            "CellServerTime",
            "Time",
        ),
    ),
    Column(IS_DEAD, "", "Dead", aliases=("Is Dead", "Failure", "Failed", "Dead")),
)
# Columns that name a string only together, or where no string column exists; widest first.
SITE_COLUMNS = ("SiteID", "Site", "DeviceID", "SerialNumber")
CELL_NUMBER_ALIASES = ("CellNumber", "Cell No", "CellIndex")
# Where the time column counts seconds from the start of a test: what numbers the tests, and what dates them.
SESSION_COLUMNS = ("session", "test_id", "cycle", "cycle_index")
SESSION_START_COLUMNS = ("start_time", "session_start", "test_start")
# Other temperatures of the same cells: they settle what unit a temperature is in.
COMPANION_TEMPERATURES = ("BMSProbeTempMax", "BMSProbeTempMin", "ProbeTempMax", "ProbeTempMin")

COLUMNS: dict[str, Column] = {column.name: column for column in (*MEASURED, STRING_TOTAL, *IDENTIFIERS)}
SENSOR_NAMES: tuple[str, ...] = tuple(column.name for column in SENSORS)
MEASURED_NAMES: tuple[str, ...] = tuple(column.name for column in MEASURED)
CLEANED_NAMES: tuple[str, ...] = (*MEASURED_NAMES, STRING_VOLTAGE)
# Preprocessing goes without a room's temperature; what learns from the tables does not.
PREPROCESS_REQUIRED: tuple[str, ...] = (VOLTAGE, TEMPERATURE, CURRENT)


def normalised(name: str) -> str:
    """Return the name as compared: lower case, without spaces, underscores, hyphens, dots and a BOM.

    >>> normalised("Site ID") == normalised("site_id") == normalised("SiteID")
    True
    """
    return re.sub(r"[\s_\-.\ufeff]", "", name).lower()


def match_columns(names: list[str]) -> dict[str, str]:
    """Map canonical names to the columns of a file that carry them.

    The canonical name wins over aliases, aliases win in their order, and of two columns of the same
    name the first.

    >>> match_columns(["PacketDateTime", "Time", "cell_voltage"])
    {'CellVoltage': 'cell_voltage', 'Timestamp': 'PacketDateTime'}
    """
    present: dict[str, str] = {}
    for name in names:
        present.setdefault(normalised(name), name)
    found: dict[str, str] = {}
    for column in COLUMNS.values():
        for candidate in (column.name, *column.aliases):
            if normalised(candidate) in present:
                found[column.name] = present[normalised(candidate)]
                break
    return found


def first_of(names: Iterable[str], wanted: Iterable[str]) -> str | None:
    """Return the file's name for the first of the `wanted` columns that it has; None where it has none.

    >>> first_of(["Cell", "Test_ID"], SESSION_COLUMNS)
    'Test_ID'
    """
    present: dict[str, str] = {}
    for name in names:
        present.setdefault(normalised(name), name)
    return next((present[key] for key in map(normalised, wanted) if key in present), None)


def flag_of(name: str) -> str:
    """Return the name of the column that says what happened to a reading of `name`."""
    return f"{name}{FLAG_SUFFIX}"
