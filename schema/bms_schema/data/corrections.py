"""What is done to readings written in another unit or with a lost sign, as data that a report can show."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

SignCode = Literal["sign-magnitude", "two's complement"]
_DECIMALS = 9  # registers have at most 4; takes the rounding of the subtraction away again


@dataclass(frozen=True)
class Conversion:
    """One way in which a unit is written: reading = (written - offset) / divisor.

    Args:
        name: How notes call it, as in "the temperature is in <name>".
        offset: In the written unit.
        divisor: Written units per canonical unit.
    """

    name: str
    offset: float = 0.0
    divisor: float = 1.0

    def apply(self, written: np.ndarray) -> np.ndarray:
        """Return readings in the canonical unit.

        >>> Conversion("°F", 32.0, 1.8).apply(np.array([77.0])).tolist()
        [25.0]
        """
        moved = written - self.offset if self.offset else written
        return moved / self.divisor if self.divisor != 1.0 else moved


AS_WRITTEN = Conversion("°C")
TENTHS, HUNDREDTHS = Conversion("tenths of °C", divisor=10.0), Conversion("hundredths of °C", divisor=100.0)
KELVIN, FAHRENHEIT = Conversion("K", offset=273.15), Conversion("°F", offset=32.0, divisor=1.8)
PLUS_40 = Conversion("°C + 40", offset=40.0)  # 8-bit registers that count from -40 °C
TEMPERATURE_CONVERSIONS = (TENTHS, HUNDREDTHS, KELVIN, FAHRENHEIT, PLUS_40)
VOLTAGE_CONVERSIONS = (
    Conversion("mV", divisor=1e3),
    Conversion("0.1 mV", divisor=1e4),
    Conversion("0.01 V", divisor=1e2),
)
FRACTION = Conversion("fractions of 1", divisor=0.01)


@dataclass(frozen=True)
class Wrap:
    """A negative number shown as a large one by reading a signed 16-bit register as unsigned.

    Args:
        code: How the register writes a minus.
        step: What one count of the register is worth in the file.
        full_scale_is_reading: Whether 65535 counts are -1 here, and no "no answer".
    """

    code: SignCode
    step: float = 1.0
    full_scale_is_reading: bool = False

    def wrapped(self, written: np.ndarray) -> np.ndarray:
        """Return where `written` (1-d float) lies in the upper half of the register."""
        with np.errstate(invalid="ignore"):
            return (written > 32768.5 * self.step) & (written < 65535.5 * self.step)

    def apply(self, written: np.ndarray) -> np.ndarray:
        """Return the numbers with their sign.

        >>> Wrap("sign-magnitude").apply(np.array([33169.0, 7.0])).tolist()
        [-401.0, 7.0]
        >>> Wrap("two's complement", 0.001).apply(np.array([65.505])).tolist()
        [-0.031]
        """
        minus = 32768 * self.step - written if self.code == "sign-magnitude" else written - 65536 * self.step
        return np.where(self.wrapped(written), np.round(minus, _DECIMALS), written)


@dataclass(frozen=True)
class Correction:
    """One correction of one column, decided once for the whole table.

    Args:
        column: Canonical name.
        how: The conversion of a unit, or the sign given back.
        readings: Readings that it changes.
        evidence: Why there is no doubt, with figures.
    """

    column: str
    how: Conversion | Wrap
    readings: int
    evidence: str

    @property
    def what(self) -> Literal["unit", "sign"]:
        """Which of the two flags its readings carry."""
        return "sign" if isinstance(self.how, Wrap) else "unit"

    @property
    def note(self) -> str:
        """The correction in one sentence."""
        if isinstance(self.how, Wrap):
            done = f"{self.readings:,} readings of {self.column} got their minus sign back ({self.how.code})"
        else:
            done = (
                f"{self.column} is written in {self.how.name} and was converted ({self.readings:,} readings)"
            )
        return f"{done}: {self.evidence}"
