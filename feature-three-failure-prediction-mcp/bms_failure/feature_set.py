"""The features of a cell at one moment: name, unit, direction and words, in one table.

A feature is a statistic of one block signal over a trailing window of 1 to 90 days.
"""

from bms_failure.feature_kinds import CellFeature, Family

__all__ = ["BY_NAME", "FEATURES", "FEATURE_NAMES", "RECENT_DAYS", "CellFeature"]

# Load steps come a few times a week, so a day's level of the resistance is mostly unknown.
RECENT_DAYS = {"log_resistance": 7}
_PAST = "its own past"

# Voltage: shorts and sulphation drag a cell on float below its string [U]; a sensor drifts either way, so a
# reading above the string never adds to the risk by itself.
# Floors: what a usual BMS's resolution leaves of a mean over a day [U].
_VOLTAGE = Family("voltage", "voltage_mv", "voltage", "mV", "voltage", -1, -1, 2.0)
_VOLTAGE_Z = Family("voltage_z", "voltage_z", "voltage", "robust sigma", "voltage", -1, -1, 1.0)
_LOAD = Family("load", "load_mv", "load", "mV", "voltage under load", -1, -1, 3.0)
_TEMPERATURE = Family("temperature", "temperature_c", "temperature", "°C", "temperature", 1, 1, 0.3)
_RISE = Family("rise", "rise_c", "temperature", "°C", "temperature", 1, 1, 0.5, against="the ambient")
_RESISTANCE = Family(
    "resistance", "log_resistance", "resistance", "%", "load-step resistance", 1, 1, 0.03, scale=100.0
)
_GRAVITY = Family("gravity", "gravity", "gravity", "", "specific gravity", -1, -1, 0.001)
_AGEING = Family("ageing", "ageing", "ageing", "%", "thermal ageing", 1, 1, 0.02, scale=100.0)
_VOLTAGE_PAST = Family("voltage_past", "voltage_residual", "past", "sigma", "voltage", -1, -1, 0.5, _PAST)
_WARMTH_PAST = Family(
    "temperature_past", "temperature_residual", "past", "sigma", "temperature", 1, 1, 0.5, _PAST
)
_GRAVITY_PAST = Family(
    "gravity_past", "gravity_residual", "past", "sigma", "specific gravity", -1, -1, 0.5, _PAST
)
_JOINT = Family(
    "joint_past", "joint_residual", "past", "sigma", "signs of decay in voltage, temperature and gravity",
    1, 1, 0.5, _PAST,
)  # fmt: skip
_SECOND = Family(
    "second_past",
    "second_residual",
    "past",
    "sigma",
    "signs of decay in at least two sensors",
    1,
    1,
    0.5,
    _PAST,
)


def _share(name: str, signal: str, days: int, theme: str, words: str) -> CellFeature:
    return CellFeature(
        name, signal, "level", days, 0, 1, theme, "%", 100.0, 0.05,  # type: ignore[arg-type]
        f"{{value}} of the {words} over {{window}}",
    )  # fmt: skip


def _history(noun: str) -> list[CellFeature]:
    words = f"{noun} readings more than 3.5 robust sigma from the string"
    return [_share(f"{noun}_far_share_{days}d", f"far_{noun}", days, "history", words) for days in (7, 30)]


FEATURES: tuple[CellFeature, ...] = (
    *_VOLTAGE.features(levels=(1, 7, 30, 90), slopes=(7, 30, 90), changes=(30,), volatilities=(7, 30, 90)),
    *_VOLTAGE_Z.features(levels=(1, 7)),
    *_LOAD.features(levels=(7, 30), slopes=(30,)),
    *_TEMPERATURE.features(levels=(1, 7), slopes=(7,), changes=(30,)),
    *_RISE.features(levels=(1, 7)),
    *_RESISTANCE.features(levels=(7, 30), slopes=(30, 90), changes=(30,)),
    *_GRAVITY.features(levels=(1, 7, 30), slopes=(30,), changes=(30,)),
    *_AGEING.features(levels=(30, 90)),
    *_VOLTAGE_PAST.features(levels=(1, 3, 7)),
    *_WARMTH_PAST.features(levels=(1, 3, 7)),
    *_GRAVITY_PAST.features(levels=(1, 3, 7)),
    *_JOINT.features(levels=(1, 3, 7, 30), slopes=(3, 7, 30)),
    *_SECOND.features(levels=(1, 3, 7, 30)),
    *_history("voltage"),
    *_history("temperature"),
    *_history("gravity"),
    _share("outside_share_7d", "outside", 7, "float", "readings outside the float window"),
    CellFeature(
        "noise_level_7d", "voltage_noise_mv", "level", 7, 0, 1, "noise", "mV", 1.0, 1.0,
        "voltage scatters by {value} within a quarter day over {window}",
    ),
    _share("missing_share_1d", "missing", 1, "missing", "readings missing"),
    _share("missing_share_7d", "missing", 7, "missing", "readings missing"),
)  # fmt: skip

FEATURE_NAMES: tuple[str, ...] = tuple(feature.name for feature in FEATURES)
BY_NAME: dict[str, CellFeature] = {feature.name: feature for feature in FEATURES}
