"""Which columns hold names, remarks and their like: what identifies somebody and is to be made up in a twin."""

from typing import Any

import pandas as pd

from bms_generate.set_aside import MODELLED

# Labels of which most rows have their own are names or remarks; a few rows have few labels twice by chance.
_MOST_DISTINCT, _FEWEST_DISTINCT = 0.5, 20


def is_made_up(spec: dict[str, Any]) -> bool:
    """Whether a column's entry in the metadata makes it an identifier, a name, an address or their like.

    >>> is_made_up({"sdtype": "id"}), is_made_up({"sdtype": "address"}), is_made_up({"sdtype": "categorical"})
    (True, True, False)
    """
    return spec["sdtype"] not in MODELLED or bool(spec.get("pii"))


def mostly_distinct(column: pd.Series) -> bool:
    """Whether more than half of the present values are different ones, and at least 20.

    >>> mostly_distinct(pd.Series([f"Mr {row}" for row in range(30)])), mostly_distinct(pd.Series(["a", "b"] * 30))
    (True, False)
    """
    distinct, present = len(column.dropna().unique()), int(column.notna().sum())
    return distinct >= _FEWEST_DISTINCT and distinct > _MOST_DISTINCT * present
