"""What a feature is, and how the features of one signal are made of it."""

from dataclasses import dataclass
from typing import Literal

Statistic = Literal["level", "slope", "volatility", "change"]
Theme = Literal[
    "voltage", "load", "temperature", "resistance", "gravity", "past", "ageing", "history", "float", "noise",
    "missing",
]  # fmt: skip


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


@dataclass(frozen=True)
class Family:
    """The features of one signal; slopes and changes share its direction, volatility has none.

    Args:
        short: Start of the names.
        signal: The block signal.
        theme: Of all but the volatility, whose theme is noise.
        unit: Unit for people.
        noun: What is measured, in words.
        worse: See `CellFeature`.
        suspect: See `CellFeature`.
        floor: Of levels and changes, see `CellFeature`.
        against: What it is measured against, in words.
        scale: See `CellFeature`.
    """

    short: str
    signal: str
    theme: Theme
    unit: str
    noun: str
    worse: int
    suspect: int
    floor: float
    against: str = "the string median"
    scale: float = 1.0

    def features(
        self,
        *,
        levels: tuple[int, ...],
        slopes: tuple[int, ...] = (),
        changes: tuple[int, ...] = (),
        volatilities: tuple[int, ...] = (),
    ) -> list[CellFeature]:
        """Return the features, one per statistic and window [days]."""
        other = self.against.removesuffix(" median")
        noun = self.noun
        return [
            *(
                self._one("level", d, f"{noun} {{size}} {{side}} {self.against} over {{window}}")
                for d in levels
            ),
            *(self._one("slope", d, f"{d}-day slope of {noun} {{value}} against {other}") for d in slopes),
            *(
                self._one(
                    "change", d, f"{noun} moved {{value}} from its own level over {{window}} against {other}"
                )
                for d in changes
            ),
            *(
                self._one(
                    "volatility", d, f"{noun} wanders by {{value}} (1 sigma) over {{window}} against {other}"
                )
                for d in volatilities
            ),
        ]

    def _one(self, statistic: Statistic, days: int, words: str) -> CellFeature:
        slope, volatility = statistic == "slope", statistic == "volatility"
        return CellFeature(
            name=f"{self.short}_{statistic}_{days}d",
            signal=self.signal,
            statistic=statistic,
            days=days,
            worse=0 if volatility else self.worse,
            suspect=1 if volatility else self.suspect,
            theme="noise" if volatility else self.theme,
            unit=f"{self.unit}/day".lstrip() if slope else self.unit,
            scale=self.scale,
            floor=self.floor / days if slope else self.floor,
            words=words,
        )
