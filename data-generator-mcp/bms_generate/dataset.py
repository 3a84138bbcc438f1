"""A folder of related CSV tables with its metadata: found, read and typed by the metadata."""

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
from bms_schema.data.reading import read_table
from bms_schema.run.errors import InputError, MissingColumn, PathNotFound, UnknownName
from bms_schema.run.workspace import readable_path

from bms_generate.metadata_file import METADATA_NAME, Metadata, read_metadata
from bms_generate.precleaning import CleanTable, clean_table, unify_keys

SYNTHETIC_FOLDER = "synthetic_data"
PLOTS_FOLDER = "evaluation_plots"
_MOST_NAMES = 8
Tables = dict[str, pd.DataFrame]


@dataclass(frozen=True)
class Dataset:
    """Tables as the metadata describes them: typed, sentinels and ±inf missing.

    Args:
        folder: Where they lie.
        tables: One frame per table of the metadata, columns in the file's order.
        metadata: V2, as SDV reads it.
        notes: What the reader and the cleaning did, in words.
        truth_words: Per table, how each boolean column writes (true, false).
    """

    folder: Path
    tables: Tables
    metadata: Metadata
    notes: list[str] = field(default_factory=list)
    truth_words: dict[str, dict[str, tuple[str, str]]] = field(default_factory=dict)


def find_folder(folder_name: str) -> Path:
    """Return the data folder.

    Raises:
        InputError: outside the allowed roots, missing, or not a folder.
    """
    folder = readable_path(folder_name, kind="SDV")
    if not folder.is_dir():
        raise InputError(
            f"'{folder}' is a file.",
            expected=f"a folder with CSV files and {METADATA_NAME}",
            fix="Pass its folder.",
        )
    return folder


def read_dataset(folder: Path) -> Dataset:
    """Read metadata.json and the table of each of its names.

    Raises:
        InputError: the folder, the metadata or a table cannot be used; says which and why.
    """
    files = csv_files(folder)
    if not files:
        raise _no_csv(folder)
    metadata = read_metadata(folder, sorted(files))
    cleaned = _read_tables(files, metadata)
    notes = [f"{name}: {note}" for name, table in cleaned.items() for note in table.notes]
    unused = sorted(set(files) - set(metadata["tables"]))
    if unused:
        notes.append(f"not in {METADATA_NAME}, so left alone: {', '.join(unused)}")
    words = {name: table.truth_words for name, table in cleaned.items()}
    return Dataset(folder, _frames(cleaned, metadata), metadata, notes, words)


def read_synthetic(dataset: Dataset) -> Tables:
    """Read the folder's own `synthetic_data/` by the same rules.

    Raises:
        PathNotFound: nothing generated yet.
        InputError: a table is missing or cannot be read.
    """
    folder = dataset.folder / SYNTHETIC_FOLDER
    if not folder.is_dir() or not csv_files(readable_path(folder)):
        raise PathNotFound(
            f"'{dataset.folder}' has no {SYNTHETIC_FOLDER}.",
            expected="synthetic tables",
            fix=f"Run sdv_generate(folder_name='{dataset.folder}') first.",
        )
    return _frames(_read_tables(csv_files(folder), dataset.metadata), dataset.metadata)


def require_table(dataset: Dataset, table: str) -> pd.DataFrame:
    """Return a table by name.

    Raises:
        UnknownName: no such table.
    """
    if table not in dataset.tables:
        raise UnknownName.among("table", table, dataset.tables)
    return dataset.tables[table]


def csv_files(folder: Path) -> dict[str, Path]:
    """Return the CSV files right in a folder by their table's name."""
    files = sorted(item for item in folder.iterdir() if item.is_file() and item.suffix.lower() == ".csv")
    return {item.stem: item for item in files}


def _no_csv(folder: Path) -> PathNotFound:
    found = [item.name + "/" * item.is_dir() for item in sorted(folder.iterdir()) if item.name[0] != "."]
    rest = f" and {len(found) - _MOST_NAMES} more" if len(found) > _MOST_NAMES else ""
    parquet = any(folder.glob("*.parquet")) or any(folder.glob("*/*.parquet"))
    return PathNotFound(
        f"'{folder}' has no CSV file; it holds {', '.join(found[:_MOST_NAMES]) or 'nothing'}{rest}.",
        expected=f"<table>.csv files beside a {METADATA_NAME}" + (", no Parquet" if parquet else ""),
        fix=(
            "Write the tables as CSV: simulate_battery_fleet does with output_format='csv', and "
            "preprocess_battery_data_tool makes a folder with CSV and metadata of Parquet (its 'sdv_folder')."
            if parquet
            else "Pass a folder that has."
        ),
    )


def _frames(cleaned: dict[str, CleanTable], metadata: Metadata) -> Tables:
    return unify_keys({name: table.frame for name, table in cleaned.items()}, metadata)


def _read_tables(files: dict[str, Path], metadata: Metadata) -> dict[str, CleanTable]:
    tables: dict[str, CleanTable] = {}
    for name, spec in metadata["tables"].items():
        if name not in files:
            raise PathNotFound(
                f"{METADATA_NAME} names a table '{name}', but there is no {name}.csv.",
                expected=f"a CSV for each table; found: {', '.join(sorted(files))}",
                fix=f"Add the file or take the table out of {METADATA_NAME}.",
            )
        raw = read_table(readable_path(files[name]), layout="as_is")
        _check_columns(name, list(raw.frame), list(spec["columns"]))
        tables[name] = clean_table(raw.frame, spec["columns"], table=name, decimal_comma=raw.decimal_comma)
        tables[name].notes.extend(raw.notes)
    return tables


def _check_columns(table: str, present: list[str], described: list[str]) -> None:
    if missing := [name for name in described if name not in present]:
        raise MissingColumn(
            f"{table}.csv lacks the column(s) {', '.join(missing)} of {METADATA_NAME}.",
            expected=f"the described columns; it has: {', '.join(present[:30])}",
            fix=f"Add them to the CSV or take them out of {METADATA_NAME}.",
        )
    if extra := [name for name in present if name not in described]:
        raise InputError(
            f"{table}.csv has the column(s) {', '.join(extra)}, which {METADATA_NAME} does not describe.",
            expected="a description of every column",
            fix=f"Describe them in {METADATA_NAME} or take them out of the CSV.",
        )
