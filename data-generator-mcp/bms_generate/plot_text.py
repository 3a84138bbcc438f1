"""Words in pictures: names that fit their panel, units, truth values as the file writes them."""

import re

import pandas as pd
from bms_schema.data.columns import CLEANED_NAMES, COLUMNS

from bms_generate.known_names import match_names, unit_of
from bms_generate.precleaning import spelt

_JOINTS = re.compile(r"(?<=[\s_./×-])(?=\S)|(?<=[a-z0-9])(?=[A-Z])")


def axis_label(name: str) -> str:
    """Return the label with unit where the column table knows the column as a reading, else its own name."""
    known = next(iter(match_names([name])), "")
    return COLUMNS[known].axis_label if known in CLEANED_NAMES else name


def unit_label(name: str) -> str:
    """Return the unit in brackets where the column table knows the column, for the end of a label.

    >>> unit_label("CellVoltage"), unit_label("Remark")
    (' [V]', '')
    """
    unit = unit_of(name)
    return f" [{unit}]" if unit else ""


def wrapped(text: str, width: int, lines: int = 2) -> str:
    r"""Return a text broken between its words, those of CamelCase too; what is left over ends in an ellipsis.

    >>> wrapped("SystemPeakCurrentInChargeOneCycle", 20)
    'SystemPeakCurrentIn\nChargeOneCycle'
    >>> wrapped("battery.a_name_without_end", 10)
    'battery.a_\nname_with…'
    """
    rows = [""]
    for word in _JOINTS.split(text):
        if rows[-1] and len(rows[-1]) + len(word.rstrip()) > width and len(rows) < lines:
            rows.append("")
        rows[-1] += word
    return "\n".join(row.rstrip() if len(row.rstrip()) <= width else f"{row[: width - 1]}…" for row in rows)


def in_words_of_file(frame: pd.DataFrame, words: dict[str, tuple[str, str]]) -> pd.DataFrame:
    """Return the table with truth values as words; missing stays missing.

    Args:
        frame: Truth values as True and False.
        words: How the file writes (true, false), by column.

    >>> in_words_of_file(pd.DataFrame({"a": [True, False, None]}), {"a": ("1", "0")})["a"].tolist()
    ['1', '0', None]
    """
    return frame.assign(**{name: spelt(frame[name], pair) for name, pair in words.items() if name in frame})
