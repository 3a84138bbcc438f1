"""How the times of a text column are written: a strptime format that reads and writes them as the file does."""

import re
from datetime import datetime

import numpy as np
import pandas as pd
from bms_schema.data.text import distinct_text
from bms_schema.data.time_text import DAY_MONTH, EPOCH, FORMS, ISO, read_forms
from bms_schema.data.timestamps import TimeRule

_DATES = (
    *("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y"),
    *("%d.%m.%Y", "%d-%b-%Y", "%d %b %Y", "%d %B %Y", "%b %d %Y", "%b %d, %Y", "%B %d, %Y"),
)
_SHORT_DATES = ("%d/%m/%y", "%m/%d/%y", "%d-%m-%y", "%m-%d-%y", "%d.%m.%y")
_CLOCKS = ("%H:%M:%S", "%H:%M", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p")
_ZONES = ("", "Z", "+00:00")
# A year of two digits may be a version number or a part number, so it counts only beside a clock.
_SURELY_TIME = re.compile(r"\d{4}|:")
_FORMATS = (
    *_DATES,
    *(
        f"{date}{between}{clock}{zone}"
        for date in (*_DATES, *_SHORT_DATES)
        for between in ("T", " ")
        for clock in _CLOCKS
        for zone in _ZONES
    ),
)


def is_time_column(column: pd.Series, *, epochs: bool) -> bool:
    """Whether every present value is a time, by the forms the table reader knows.

    Args:
        column: Text, missing where blank.
        epochs: Whether epoch numbers count, which only the column's name can tell from other numbers.
    """
    codes, texts = distinct_text(column)
    present = texts[np.unique(codes[codes >= 0])]
    forms = {ISO, DAY_MONTH, *(EPOCH.values() if epochs else ())}
    wanted = [FORMS.index(form) for form in forms]
    # A few values settle most columns, and parsing them all is what takes time.
    return bool(
        len(present)
        and all(map(_SURELY_TIME.search, present))
        and np.isin(read_forms(present[:20]).form, wanted).all()
        and np.isin(read_forms(present).form, wanted).all()
    )


def find_format(column: pd.Series, rule: TimeRule) -> str | None:
    """Return the format that reads every value as `rule` does; None where no single one does.

    Args:
        column: Text of a time column, missing where blank.
        rule: How the table's dates are read (day or month first).

    >>> find_format(pd.Series(["07/05/2025 09:12", "21/05/2025 18:00"]), TimeRule(day_first=True))
    '%d/%m/%Y %H:%M'
    """
    texts = pd.Series(column.dropna().astype(str).unique(), dtype=object)
    meant = rule.parse(texts)
    for style in _FORMATS:
        if _reads(texts.iloc[0], style) and pd.to_datetime(texts, format=style, errors="coerce").equals(
            meant
        ):
            return style
    return None


def _reads(text: str, style: str) -> bool:
    try:
        datetime.strptime(text, style)
    except ValueError:
        return False
    return True
