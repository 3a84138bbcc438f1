"""300 damaged exports: each ends in a result or in an error that says what to do; nothing is half-written."""

import gzip
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bms_preprocess.tools import clean_and_filter_data, preprocess_battery_data_tool
from bms_schema.run.jobs import execute
from bms_schema.run.run_folder import FAILED, LOG_NAME, MANIFEST_NAME, PARTIAL, Run

from tests.schema.fleet import small_fleet

FILES = 300
THROUGH_THE_WHOLE_CHAIN = 10  # every tenth file; the others are read and cleaned
BATCH = 50
ODD_VALUES = (
    "",
    "bad",
    "N/A",
    "65535",
    "1e309",
    "-inf",
    "0xFFFF",
    "2,21",
    '"',
    "12:61",
    "NaN",
    "§",
    "1;2",
    "\t",
)
Rng = np.random.Generator


def truncated(data: bytes, rng: Rng) -> bytes:
    return data[: rng.integers(0, len(data))]


def flipped(data: bytes, rng: Rng) -> bytes:
    noisy = bytearray(data)
    for at in rng.integers(0, len(data), rng.integers(1, 40)):
        noisy[at] ^= 1 << int(rng.integers(0, 8))
    return bytes(noisy)


def spliced(data: bytes, rng: Rng) -> bytes:
    first, second = sorted(rng.integers(0, len(data), 2))
    return data[:second] + data[first:]


def overwritten_with_noise(data: bytes, rng: Rng) -> bytes:
    at = int(rng.integers(0, len(data)))
    return data[:at] + rng.bytes(int(rng.integers(1, 400))) + data[at:]


def in_another_encoding(data: bytes, rng: Rng) -> bytes:
    text = data.decode("utf-8").replace("S0", "Stränge-0")
    return text.encode(str(rng.choice(["utf-16", "cp1252", "utf-8-sig", "utf-32"])))


def columns_swapped(frame: pd.DataFrame, rng: Rng) -> pd.DataFrame:
    return frame.set_axis(rng.permutation(frame.columns), axis=1)


def types_mixed(frame: pd.DataFrame, rng: Rng) -> pd.DataFrame:
    mixed = frame.astype(object)
    for _ in range(int(rng.integers(1, 200))):
        row, column = rng.integers(0, frame.shape[0]), rng.integers(0, frame.shape[1])
        mixed.iloc[row, column] = str(rng.choice(ODD_VALUES))
    return mixed


def a_column_lost(frame: pd.DataFrame, rng: Rng) -> pd.DataFrame:
    return frame.drop(columns=rng.choice(frame.columns))


def columns_doubled(frame: pd.DataFrame, rng: Rng) -> pd.DataFrame:
    return pd.concat([frame, frame[rng.choice(frame.columns, 3)]], axis=1)


def rows_shuffled_and_repeated(frame: pd.DataFrame, rng: Rng) -> pd.DataFrame:
    return frame.iloc[rng.integers(0, len(frame), len(frame))]


def numbers_scaled(frame: pd.DataFrame, rng: Rng) -> pd.DataFrame:
    name = rng.choice(frame.select_dtypes("number").columns)
    return frame.assign(**{name: frame[name] * 10.0 ** rng.integers(-8, 30) - rng.integers(0, 40)})


def values_blank(frame: pd.DataFrame, rng: Rng) -> pd.DataFrame:
    return frame.mask(rng.random(frame.shape) < rng.random())


BYTES = (truncated, flipped, spliced, overwritten_with_noise, in_another_encoding)
TABLES = (
    columns_swapped,
    types_mixed,
    a_column_lost,
    columns_doubled,
    rows_shuffled_and_repeated,
    numbers_scaled,
    values_blank,
)


def write_mutant(folder: Path, seed: int) -> Path:
    """Write mutant number `seed`: one or two defects of a good export, as CSV, CSV.gz or Parquet."""
    rng = np.random.default_rng(seed)
    frame = small_fleet(moments=int(rng.integers(1, 60)))
    for defect in rng.choice(np.array(TABLES, dtype=object), int(rng.integers(0, 3)), replace=False):
        frame = defect(frame, rng)
    kind = str(rng.choice(["csv", "csv", "csv", "csv.gz", "parquet"]))
    if kind == "parquet":
        buffer = io.BytesIO()
        frame.set_axis(
            [f"{name} {at}" if frame.columns.has_duplicates else name for at, name in enumerate(frame)],
            axis=1,
        ).astype(str).to_parquet(buffer, index=False)
        data = buffer.getvalue()
    else:
        text = frame.to_csv(index=False, sep=str(rng.choice([",", ";", "\t"])))
        data = text.encode("utf-8")
    harm: Callable[[bytes, Rng], bytes] = BYTES[int(rng.integers(0, len(BYTES)))]
    if kind != "parquet" and rng.random() < 0.7:
        data = harm(data, rng)
    if kind == "csv.gz":
        data = gzip.compress(data)
    if kind != "csv" and rng.random() < 0.6:
        data = BYTES[int(rng.integers(0, 4))](data, rng)
    path = folder / f"mutant-{seed}.{kind}"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("first", range(0, FILES, BATCH))
def test_a_damaged_file_ends_in_a_result_or_in_an_error(tmp_path: Path, workspace: Path, first: int) -> None:
    for seed in range(first, first + BATCH):
        path = write_mutant(tmp_path, seed)
        before = path.read_bytes()
        whole = seed % THROUGH_THE_WHOLE_CHAIN == 0
        tool = preprocess_battery_data_tool if whole else clean_and_filter_data
        envelope, _ = execute(
            lambda run, tool=tool, path=path: tool(run, str(path)), Run("bms-preprocess", tool.__name__)
        )
        assert path.read_bytes() == before
        assert "unexpectedly" not in envelope.message, (seed, envelope.message)
        if envelope.status == "success":
            data = envelope.data.model_dump()
            assert (data["rows_out"] if whole else data["rows"]) > 0
            named = [value for key, value in data.items() if key.endswith(("csv", "json", "html", "folder"))]
            assert named and all(Path(value).exists() for value in named), seed
        else:
            assert "Expected: " in envelope.message, (seed, envelope.message)
    left = list((workspace / "runs").iterdir())
    assert not [item for item in left if item.name.endswith(PARTIAL)]
    for item in left:
        if item.name.endswith(FAILED):
            assert {inner.name for inner in item.rglob("*")} <= {LOG_NAME, MANIFEST_NAME}
