"""Reading `metadata.json`: our own look at it, then SDV's; V1 is upgraded to V2."""

import json
import warnings
from pathlib import Path
from typing import Any

from bms_schema.run.errors import InputError, PathNotFound

from bms_generate.metadata_checks import find_flaws

METADATA_NAME = "metadata.json"
Metadata = dict[str, Any]
_EXPECTED = 'SDV metadata V2: {"METADATA_SPEC_VERSION": "V2", "tables": {…}, "relationships": […]}'
_HOW_TO_GET_ONE = (
    "sdv_generate(folder_name=…, write_metadata=true) writes one where there is none; "
    "preprocess_battery_data_tool writes a folder that has one (its 'sdv_folder')."
)
_HOW_TO_MEND = (
    f"Correct {METADATA_NAME}, or delete it and call sdv_generate(folder_name=…, write_metadata=true), "
    "which writes one from the tables."
)


def read_metadata(folder: Path, stems: list[str]) -> Metadata:
    """Return the folder's metadata as a V2 dictionary that SDV has found valid.

    Args:
        folder: The data folder.
        stems: Names of its CSV files without suffix; a flat V1 file takes the only one as its table.

    Raises:
        PathNotFound: no metadata.json.
        InputError: not JSON, misshapen, of an unknown version, or refused by SDV.
    """
    path = folder / METADATA_NAME
    if not path.is_file():
        raise PathNotFound(
            f"'{folder}' has no {METADATA_NAME}.",
            expected=f"CSV files beside a {METADATA_NAME}",
            fix=_HOW_TO_GET_ONE,
        )
    try:
        raw = json.loads(path.read_text(encoding="utf-8-sig"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(
            f"{METADATA_NAME} is no JSON: {error}.", expected=_EXPECTED, fix=_HOW_TO_MEND
        ) from error
    if flaw := next(find_flaws(raw), None):
        raise _misshapen(flaw)
    return _as_sdv_reads_it(raw, stems)


def foreign_keys(metadata: Metadata, table: str) -> set[str]:
    """Return a table's columns that name rows of other tables."""
    links = metadata["relationships"]
    return {link["child_foreign_key"] for link in links if link["child_table_name"] == table}


def _as_sdv_reads_it(raw: Metadata, stems: list[str]) -> Metadata:
    from sdv.metadata import Metadata as SdvMetadata
    from sdv.metadata.errors import InvalidMetadataError

    flat_name = stems[0] if "tables" not in raw and len(stems) == 1 else None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # one FutureWarning for each V1 key that was upgraded
            metadata = SdvMetadata.load_from_dict(raw, single_table_name=flat_name)
            metadata.validate()
    except (InvalidMetadataError, ValueError, TypeError) as error:
        raise _misshapen(" ".join(str(error).split())) from error
    upgraded: Metadata = metadata.to_dict()
    upgraded.setdefault("relationships", [])
    _refuse_composite_keys(upgraded)
    return upgraded


def _refuse_composite_keys(metadata: Metadata) -> None:
    """Refuse keys of several columns, which SDV describes but only its Enterprise version models."""
    keys = [
        key
        for table in metadata["tables"].values()
        for key in (table.get("primary_key"), *table.get("alternate_keys", []))
    ]
    keys += [
        link[end] for link in metadata["relationships"] for end in ("parent_primary_key", "child_foreign_key")
    ]
    for key in keys:
        if isinstance(key, (list, tuple)):
            raise _misshapen(
                f"the key {', '.join(key)} has several columns; primary and foreign keys must have one"
            )


def _misshapen(reason: str) -> InputError:
    return InputError(
        f"{METADATA_NAME} cannot be used: {reason.rstrip('.')}.", expected=_EXPECTED, fix=_HOW_TO_MEND
    )
