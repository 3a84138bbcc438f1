"""Numbers in text: one parser, and a reason for what is none."""

import numpy as np
import pandas as pd
import pytest
from bms_schema.data.text import BLANK_TEXT, FULL_SCALE, NO_NUMBER, NUMBER, distinct_text, parse_numbers
from hypothesis import given
from hypothesis import strategies as st

DTYPES = [object, "string[python]", "string[pyarrow]", "category"]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("text", "number", "kind"),
    [
        ("2.2", 2.2, NUMBER),
        (" +2.2e0 ", 2.2, NUMBER),
        (".5", 0.5, NUMBER),
        ("nan", np.nan, BLANK_TEXT),
        ("NULL", np.nan, BLANK_TEXT),
        ("", np.nan, BLANK_TEXT),
        (None, np.nan, BLANK_TEXT),
        ("inf", np.nan, NO_NUMBER),
        ("1e999", np.nan, NO_NUMBER),
        ("N/A", np.nan, NO_NUMBER),
        ("1,5", np.nan, NO_NUMBER),
        ("0xFFFF", np.nan, FULL_SCALE),
        ("0x8000", np.nan, FULL_SCALE),
        ("0x50", np.nan, NO_NUMBER),
    ],
)
def test_every_value_is_a_number_or_says_why_not(text, number, kind, dtype):
    numbers, kinds = parse_numbers(pd.Series([text, "7"]).astype(dtype))
    np.testing.assert_equal(numbers, [number, 7.0])
    assert kinds.tolist() == [kind, NUMBER]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_a_word_among_the_numbers_changes_none_of_their_digits(values):
    text = [repr(value) for value in values]
    alone, _ = parse_numbers(pd.Series(text))
    among, _ = parse_numbers(pd.Series([*text, "n/a"]))
    np.testing.assert_array_equal(alone, values)
    np.testing.assert_array_equal(among[:-1], values)


def test_decimal_commas():
    numbers, _ = parse_numbers(pd.Series(["2,25", "-0,5", "x"]), decimal_comma=True)
    np.testing.assert_equal(numbers, [2.25, -0.5, np.nan])


def test_typed_columns_are_not_parsed():
    numbers, kinds = parse_numbers(pd.Series([1, None, 3], dtype="Int64"))
    np.testing.assert_equal(numbers, [1.0, np.nan, 3.0])
    assert kinds.tolist() == [NUMBER, BLANK_TEXT, NUMBER]
    assert parse_numbers(pd.Series([True, False]))[0].tolist() == [1.0, 0.0]
    assert parse_numbers(pd.Series([np.inf]))[1].tolist() == [NO_NUMBER]
    assert np.isnan(parse_numbers(pd.Series([pd.Timestamp("2026-01-01")]))[0]).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_distinct_texts_stand_for_their_rows(dtype):
    column = pd.Series(["a", None, " b", "a", " "]).astype(dtype)
    codes, texts = distinct_text(column)
    read = [texts[code] if code >= 0 else None for code in codes]
    assert read == ["a", None, "b", "a", None]
