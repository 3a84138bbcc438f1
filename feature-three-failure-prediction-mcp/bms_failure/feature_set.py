"""The features of a cell at one moment: name, unit, direction and words, in one table.

A feature is a statistic of one block signal over a trailing window of 1, 7 or 30 days.
"""

from dataclasses import dataclass
from typing import Literal

Statistic = Literal["level", "slope", "volatility", "change"]
Theme = Literal["voltage", "load", "temperature", "resistance", "gravity", "float", "noise", "missing"]


# Load steps come a few times a week, so a day's level of the resistance is mostly unknown.
RECENT_DAYS = {"log_resistance": 7}


@dataclass(frozen=True)
class CellFeature:
    """One feature.

    Args:
        name: Column name.
        signal: The block signal it is made of.
        statistic: `level` mean; `slope` least squares per day; `volatility` standard deviation; `change` the
            level of the last day (of 7 days for resistance: load steps are rare) minus the window's.
        days: Length of the trailing window.
        worse: +1 where physics says that a higher value means more risk, -1 a lower one, 0 undecided. It is the
            monotone constraint of the classifier.
        suspect: The direction that counts as worse in the ranking without labels.
        theme: Reasons name each theme once.
        unit: Unit for people.
        scale: Factor from the value to that unit.
        floor: Smallest fleet-wide robust sigma that means anything, in the feature's own unit [U].
        words: Sentence with `{size}` and `{side}` ("above"/"below") or `{value}`, and `{window}`.
    """

    name: str
    signal: str
    statistic: Statistic
    days: int
    worse: int
    suspect: int
    theme: Theme
    unit: str
    scale: float
    floor: float
    words: str


def _family(
    short: str,
    signal: str,
    theme: Theme,
    unit: str,
    noun: str,
    *,
    worse: int,
    suspect: int,
    floor: float,
    levels: tuple[int, ...],
    slopes: tuple[int, ...] = (),
    volatilities: tuple[int, ...] = (),
    changes: tuple[int, ...] = (),
    scale: float = 1.0,
    against: str = "the string median",
) -> list[CellFeature]:
    """Build the features of one signal; slopes and changes share its direction, volatility has none."""
    made = [
        CellFeature(
            f"{short}_level_{days}d",
            signal,
            "level",
            days,
            worse,
            suspect,
            theme,
            unit,
            scale,
            floor,
            f"{noun} {{size}} {{side}} {against} over {{window}}",
        )
        for days in levels
    ]
    made += [
        CellFeature(
            f"{short}_slope_{days}d",
            signal,
            "slope",
            days,
            worse,
            suspect,
            theme,
            f"{unit}/day".lstrip(),
            scale,
            floor / days,
            f"{days}-day slope of {noun} {{value}} against {against.removesuffix(' median')}",
        )
        for days in slopes
    ]
    made += [
        CellFeature(
            f"{short}_change_{days}d",
            signal,
            "change",
            days,
            worse,
            suspect,
            theme,
            unit,
            scale,
            floor,
            f"{noun} moved {{value}} from its own level over {{window}} against {against.removesuffix(' median')}",
        )
        for days in changes
    ]
    made += [
        CellFeature(
            f"{short}_volatility_{days}d",
            signal,
            "volatility",
            days,
            0,
            1,
            "noise",
            unit,
            scale,
            floor,
            f"{noun} wanders by {{value}} (1 sigma) over {{window}} against {against.removesuffix(' median')}",
        )
        for days in volatilities
    ]
    return made


# Voltage: shorts and sulphation drag a cell on float below its string [U]; a sensor drifts either way, so a
# reading above the string never adds to the risk by itself.
# Floors: what a usual BMS's resolution leaves of a mean over a day [U].
FEATURES: tuple[CellFeature, ...] = (
    *_family(
        "voltage",
        "voltage_mv",
        "voltage",
        "mV",
        "voltage",
        worse=-1,
        suspect=-1,
        floor=2.0,
        levels=(1, 7, 30),
        slopes=(7, 30),
        changes=(30,),
        volatilities=(7, 30),
    ),
    *_family(
        "voltage_z",
        "voltage_z",
        "voltage",
        "robust sigma",
        "voltage",
        worse=-1,
        suspect=-1,
        floor=1.0,
        levels=(1,),
    ),
    *_family(
        "load",
        "load_mv",
        "load",
        "mV",
        "voltage under load",
        worse=-1,
        suspect=-1,
        floor=3.0,
        levels=(7, 30),
        slopes=(30,),
    ),
    *_family(
        "temperature",
        "temperature_c",
        "temperature",
        "°C",
        "temperature",
        worse=1,
        suspect=1,
        floor=0.3,
        levels=(1, 7),
        slopes=(7,),
        changes=(30,),
    ),
    *_family(
        "rise",
        "rise_c",
        "temperature",
        "°C",
        "temperature",
        worse=1,
        suspect=1,
        floor=0.5,
        levels=(1, 7),
        against="the ambient",
    ),
    *_family(
        "resistance",
        "log_resistance",
        "resistance",
        "%",
        "load-step resistance",
        worse=1,
        suspect=1,
        floor=0.03,
        levels=(7, 30),
        slopes=(30,),
        changes=(30,),
        scale=100.0,
    ),
    *_family(
        "gravity",
        "gravity",
        "gravity",
        "",
        "specific gravity",
        worse=-1,
        suspect=-1,
        floor=0.001,
        levels=(1, 7, 30),
        slopes=(30,),
        changes=(30,),
    ),
    CellFeature(
        "outside_share_7d", "outside", "level", 7, 0, 1, "float", "%", 100.0, 0.05,
        "{value} of the readings outside the float window over {window}",
    ),
    CellFeature(
        "noise_level_7d", "voltage_noise_mv", "level", 7, 0, 1, "noise", "mV", 1.0, 1.0,
        "voltage scatters by {value} within a quarter day over {window}",
    ),
    CellFeature(
        "missing_share_1d", "missing", "level", 1, 0, 1, "missing", "%", 100.0, 0.05,
        "{value} of the readings missing over {window}",
    ),
    CellFeature(
        "missing_share_7d", "missing", "level", 7, 0, 1, "missing", "%", 100.0, 0.05,
        "{value} of the readings missing over {window}",
    ),
)  # fmt: skip

FEATURE_NAMES: tuple[str, ...] = tuple(feature.name for feature in FEATURES)
BY_NAME: dict[str, CellFeature] = {feature.name: feature for feature in FEATURES}
