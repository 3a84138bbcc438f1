"""Columns that others determine are found, computed again in order, and never seen where there are none."""

import numpy as np
import pandas as pd
import pytest
from bms_generate.derived import recompute
from bms_generate.derived_search import derived_columns

ROWS = 600
RANDOM = np.random.default_rng(0)
TIMES = pd.Series(pd.date_range("2025-12-20 08:00", periods=ROWS, freq="97min"))
VOLTS = RANDOM.normal(2.2, 0.05, ROWS).round(3)
AMPERES = np.where(RANDOM.random(ROWS) < 0.7, 0.0, RANDOM.normal(-20, 3, ROWS)).round(1)
LEAK = np.where(RANDOM.random(ROWS) < 0.7, 0.1, RANDOM.normal(-20, 3, ROWS)).round(2)
DEGREES = RANDOM.normal(20, 15, ROWS).round()
EPOCH = (TIMES - pd.Timestamp(0)).dt.total_seconds()
GAPS = RANDOM.random(ROWS) < 0.05
RARE = np.arange(ROWS) % 100 == 0


def found(kinds=None, keys=(), **columns):
    """Words of what is found, after the columns have been computed again as they were."""
    frame = pd.DataFrame(columns)
    rules = derived_columns(frame, {"columns": described(frame, kinds or {})}, set(keys))
    left = frame.drop(columns=[rule.column for rule in rules])
    again = recompute(left, frame, rules)
    assert list(again) == list(frame)
    for rule in rules:
        real, made = frame[rule.column], again[rule.column]
        assert (made.isna() == real.isna()).all() and made.dtype == real.dtype
        if pd.api.types.is_float_dtype(real):
            # Halves may be rounded either way.
            assert np.nanmax(np.abs(made - real)) <= 1.001 * last_decimal(real)
        else:
            assert (made == real)[real.notna()].all()
    return [rule.words for rule in rules]


def described(frame, kinds):
    def kind(column):
        if pd.api.types.is_datetime64_any_dtype(column):
            return "datetime"
        return "numerical" if pd.api.types.is_float_dtype(column) else "categorical"

    return {name: {"sdtype": kinds.get(name, kind(frame[name]))} for name in frame}


def last_decimal(column):
    return next(
        (10.0**-k for k in range(10) if np.allclose(column.dropna(), column.dropna().round(k), atol=1e-12)),
        1e-12,
    )


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (VOLTS, "y is v"),
        (VOLTS * 1000, "y is v × 1000"),
        (-VOLTS, "y is v × -1"),
        ((VOLTS * 1.8 + 32).round(2), "y is v × 1.8 + 32"),
        ((VOLTS + AMPERES).round(3), "y is v + i"),
        ((VOLTS - AMPERES).round(3), "y is v − i"),
        ((AMPERES - VOLTS).round(3), "y is i − v"),
        ((VOLTS * AMPERES).round(2), "y is v × i"),
        ((VOLTS * AMPERES / 1000).round(3), "y is v × i × 0.001"),
        (VOLTS * AMPERES / 1000, "y is v × i × 0.001"),
    ],
)
def test_copies_units_sums_and_powers_are_found_and_computed_again(values, words):
    assert found(v=VOLTS, i=AMPERES, y=values) == [words]


def test_a_power_that_is_mostly_rounded_to_zero_is_found():
    assert found(v=VOLTS, i=LEAK, kw=(VOLTS * LEAK / 1000).round(3)) == ["kw is v × i × 0.001"]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (TIMES.dt.year, "y is the year of t"),
        (TIMES.dt.month.astype(float), "y is the month of t"),
        (TIMES.dt.isocalendar().week.astype("int64"), "y is the ISO week of t"),
        ((TIMES.dt.weekday + 1) % 7, "y is the weekday (Sunday 0) of t"),
        (TIMES.dt.hour, "y is the hour of t"),
        (EPOCH, "y is the seconds since 1970 of t"),
        (EPOCH * 1000, "y is the milliseconds since 1970 of t"),
        (TIMES.copy(), "y is the same time as t"),
        (TIMES.dt.normalize(), "y is the day of t"),
        (pd.Timestamp("1900-01-01") + (TIMES - TIMES.dt.normalize()), "y is the time of day of t"),
        (TIMES.dt.strftime("%d/%m/%Y").astype(object), "y is t as '%d/%m/%Y'"),
        (TIMES.dt.strftime("%I:%M %p").astype(object), "y is t as '%I:%M %p'"),
        (TIMES.dt.strftime("%A").astype(object), "y is t as '%A'"),
    ],
)
def test_parts_and_spellings_of_a_time_are_found_and_computed_again(values, words):
    assert found(t=TIMES, y=values) == [words]


@pytest.mark.parametrize("kind", ["numerical", "ordinal", "categorical"])
def test_a_part_is_missing_where_its_time_is(kind):
    year = TIMES.dt.year.astype(float).mask(GAPS)
    spelt = TIMES.dt.strftime("%H:%M").astype(object).mask(GAPS, None)
    words = found({"year": kind}, t=TIMES.mask(GAPS), year=year, spelt=spelt)
    assert words == ["spelt is t as '%H:%M'", "year is the year of t"]


def test_whole_numbers_of_a_missing_time_are_missing_and_stay_whole():
    real = pd.DataFrame({"t": TIMES, "year": TIMES.dt.year, "week": TIMES.dt.isocalendar().week.astype(int)})
    rules = derived_columns(real, {"columns": described(real, {})}, set())
    made = recompute(pd.DataFrame({"t": TIMES.mask(GAPS)}), real, rules)
    for name in ("year", "week"):
        assert (made[name].isna() == GAPS).all()
        assert made[name].dropna().astype(str).str.isdigit().all()


@pytest.mark.parametrize(
    ("source", "values"),
    [
        (VOLTS, RANDOM.permutation(VOLTS)),
        (VOLTS, np.where(RARE, VOLTS + 0.05, VOLTS)),
        (VOLTS, VOLTS + RANDOM.choice([-0.001, 0.0, 0.001], ROWS)),
        (DEGREES, DEGREES + RANDOM.choice([0.0, 1.0], ROWS)),
        (VOLTS, np.where(GAPS, np.nan, VOLTS)),
        (np.where(GAPS, np.nan, VOLTS), VOLTS),
        (RARE.astype(float), np.roll(RARE, 1).astype(float)),
        ((np.arange(ROWS) < 9).astype(float), (np.arange(ROWS) < 9).astype(float)),
        (TIMES, EPOCH + RANDOM.integers(0, 2, ROWS)),
        (TIMES, EPOCH * 1000 + RANDOM.integers(0, 1000, ROWS)),
        (TIMES, TIMES.dt.hour.where(~RARE, 25)),
        (TIMES, TIMES.dt.strftime("%H:%M").astype(object).mask(RARE, "later")),
        (TIMES, TIMES + pd.to_timedelta(RANDOM.choice([-1, 1], ROWS), unit="s")),
    ],
    ids=[
        "shuffled",
        "99 in 100 equal",
        "a last decimal of its own",
        "a second thermometer",
        "gaps of its own",
        "no gaps where the source has",
        "flags nearly always zero",
        "flags too rare to tell",
        "seconds now and then one more",
        "milliseconds that the time lacks",
        "99 in 100 hours",
        "99 in 100 spellings",
        "a second clock",
    ],
)
def test_what_only_looks_alike_is_left_to_the_model(source, values):
    assert found(x=source, y=values) == []


@pytest.mark.parametrize("rows", [0, 1, 2, 29])
def test_too_few_rows_tell_nothing(rows):
    assert found(t=TIMES[:rows], hour=TIMES.dt.hour[:rows], v=VOLTS[:rows], copy=VOLTS[:rows]) == []


def test_columns_that_are_constant_empty_infinite_or_of_truth_values_break_nothing():
    words = found(
        t=TIMES,
        empty=np.full(ROWS, np.nan),
        never=pd.Series(pd.NaT, index=range(ROWS), dtype="datetime64[ns]"),
        constant=1.0,
        seldom=np.where(np.arange(ROWS) < 2, VOLTS, np.nan),
        odd=np.where(np.arange(ROWS) % 2, VOLTS, np.nan),
        even=np.where(np.arange(ROWS) % 2, np.nan, AMPERES),
        alarm=pd.Series(RARE, dtype=object).mask(GAPS, None),
        v=VOLTS,
        mv=VOLTS * 1000,
    )
    assert words == ["mv is v × 1000"]


def test_a_rounded_column_follows_the_finer_one_never_the_other_way_round():
    fine = np.random.default_rng(1).normal(25, 4, ROWS).round(2)
    assert found(rounded=fine.round(), fine=fine) == ["rounded is fine"]
    assert found(fine=fine, rounded=fine.round()) == ["rounded is fine"]


@pytest.mark.parametrize("shift", [0, 1])
def test_labels_that_are_nearly_always_the_same_must_agree_where_they_are_not(shift):
    rows = np.arange(30_000)
    times = pd.Timestamp("2026-01-05 08:00") + pd.to_timedelta((rows % 2500 == 7) * 1, unit="D")
    label = np.where(rows % 2500 == 7 + shift, "Tuesday", "Monday").astype(object)
    assert found(t=times, label=label) == ([] if shift else ["label is t as '%A'"])


def test_one_exception_in_a_thousand_rows_is_forgiven_as_after_a_restart():
    many = np.random.default_rng(1).normal(2.2, 0.05, 2000).round(3)
    once = many.copy()
    once[77] = 0.0
    frame = pd.DataFrame({"v": many, "y": once})
    (rule,) = derived_columns(frame, {"columns": described(frame, {})}, set())
    assert rule.words == "y is v"


def test_chains_are_computed_in_order_whatever_the_order_of_the_columns():
    power = VOLTS * AMPERES / 1000
    columns = {"kw": power, "again": power * 1000, "v": VOLTS, "i": AMPERES, "mv": VOLTS * 1000}
    for order in (columns, dict(reversed(columns.items()))):
        assert len(found(**order)) == 3


def test_copies_of_each_other_leave_one_to_be_sampled():
    assert found(a=VOLTS, b=VOLTS, c=VOLTS) == ["c is a", "b is a"]
    total = (VOLTS + AMPERES).round(3)
    assert found(v=VOLTS, i=AMPERES, total=total) == ["total is v + i"]
    assert len(found(t=TIMES, u=TIMES.copy(), date=TIMES.dt.normalize())) == 2


def test_keys_and_identifiers_are_neither_computed_nor_computed_from():
    columns = {"v": VOLTS, "number": VOLTS * 1000, "copy": VOLTS * 1000}
    assert found(keys={"number"}, **columns) == ["copy is v × 1000"]
    assert found({"v": "id", "copy": "id"}, **columns) == []
    assert found({"serial": "id"}, t=TIMES, serial=TIMES.dt.strftime("%Y%m%d").astype(object)) == []


def fleet(strings=3, cells=8, hours=60, numbered=False):
    """Cells of strings over time, with the total, the mean and the least voltage of the string."""
    random = np.random.default_rng(0)
    stamps = pd.Series(pd.date_range("2026-01-01", periods=hours, freq="h"))
    parts = []
    for string in range(strings):
        volts = random.normal(2.2, 0.05, (hours, cells)).round(3)
        totals = {"total": volts.sum(axis=1).round(2), "least": volts.min(axis=1)}
        for cell in range(cells):
            name = string * cells + cell if numbered else f"S{string}/{cell}"
            place = {"site": float(string), "string": float(string)} if numbered else {}
            parts.append(
                pd.DataFrame(
                    {"Cell ID": str(name), **place, "Timestamp": stamps, "v": volts[:, cell], **totals}
                )
            )
    return pd.concat(parts, ignore_index=True)


def fleet_rules(frame):
    return derived_columns(frame, {"columns": described(frame, {"Cell ID": "id"})}, set())


TOTALS = [
    "least is the min of v over the string at each time stamp",
    "total is the sum of v over the string at each time stamp",
]


def test_totals_of_a_string_are_found_in_spite_of_silent_cells_and_computed_of_those_that_answered():
    frame = fleet()
    frame.loc[np.random.default_rng(1).random(len(frame)) < 0.01, "v"] = np.nan
    rules = fleet_rules(frame)
    assert [rule.words for rule in rules] == TOTALS
    made = recompute(frame.drop(columns=["total", "least"]), frame, rules)
    assert np.allclose(made["total"], frame["total"], atol=0.3)
    complete = frame["v"].groupby([frame["Cell ID"].str[:2], frame["Timestamp"]]).transform("count") == 8
    assert np.allclose(made["total"][complete], frame["total"][complete], atol=0.011)
    assert (made["least"] >= frame["least"]).all()


def test_totals_are_those_of_the_string_that_a_column_names_even_where_another_column_equals_it():
    frame = fleet(numbered=True)
    rules = fleet_rules(frame)
    assert [rule.words for rule in rules] == [*TOTALS, "site is string"]
    left = frame.drop(columns=[rule.column for rule in rules])
    assert np.allclose(recompute(left, frame, rules)["total"], frame["total"], atol=0.011)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda frame: frame["total"] + np.where(frame.index % 2, 0.05, 0.0),
        lambda frame: frame["total"].where(frame["Timestamp"].dt.hour % 5 > 0),
        lambda frame: frame.groupby("Timestamp")["total"].transform("mean"),
    ],
    ids=["of each cell's own", "with gaps of its own", "of all strings"],
)
def test_what_is_no_total_of_the_string_is_left_to_the_model(spoil):
    frame = fleet()
    assert [rule.words for rule in fleet_rules(frame.assign(total=spoil(frame)))] == TOTALS[:1]
