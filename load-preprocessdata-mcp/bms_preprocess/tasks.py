"""What a worker does: first with a group of strings, then with each of the blocks of cells it made of the group.

The same on any worker and however often, should one die over it.
"""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from bms_schema.data.columns import MEASURED_NAMES
from bms_schema.data.features import feature_names
from bms_schema.data.sampling import row_hashes
from bms_schema.run.part_files import PartFile
from bms_schema.run.partitions import Group, read_group
from bms_schema.run.tables import as_arrow

from bms_preprocess.blocks import cell_blocks
from bms_preprocess.imputation import impute_block, reading_sums
from bms_preprocess.learning import Sample
from bms_preprocess.quality import PartQuality
from bms_preprocess.scaling import scale
from bms_preprocess.sdv_folder import CellChoice, sdv_table
from bms_preprocess.stages import Block, Facts, look_at_cells, look_at_strings
from bms_preprocess.stored import Fitted
from bms_preprocess.summary import Treatment

if TYPE_CHECKING:
    import pyarrow as pa

BLOCK_ROWS = 250_000
PLACE = "__place__"
TABLES = ("cleaned", "features", "imputed", "scaled")


@dataclass(frozen=True)
class GroupBlock:
    """A block of whole cells of a group, by its number."""

    group: Group
    number: int

    def __str__(self) -> str:
        return str(self.group)


@dataclass(frozen=True)
class Job:
    """What all groups of a run have in common.

    Args:
        readings: Folder with the groups' canonical rows (see `write_groups`).
        parts: Folder that holds a folder per table; Parquet parts go there.
        predictors: Folder for what imputation looks at.
        texts: Folder for CSV parts; None where the tables are Parquet.
        facts: Of the whole table.
        types: pandas types of the columns that are worked on; every other column is carried.
        schema: Arrow types of all columns.
        cut: Rows with a hash up to it are candidates of the sample; None where nothing is fitted.
        fractions: Whether time stamps of the whole table show fractions of a second.
    """

    readings: Path
    parts: Path
    predictors: Path
    texts: Path | None
    facts: Facts
    types: dict[str, Any]
    schema: "pa.Schema"
    cut: int | None
    fractions: bool

    def part(self, table: str, group: Group) -> Path:
        """Return where a group's Parquet part of a table lies, a row group per block."""
        return self.parts / f"{table}.parquet" / f"part-{group.number:05d}.parquet"

    def kept_predictors(self, group: Group) -> Path:
        """Return where the predictors of a group's incomplete rows lie, a row group per block."""
        return self.predictors / f"part-{group.number:05d}.parquet"

    def output(self, table: str, block: GroupBlock) -> Path:
        """Return where the second pass writes a block's part of a table."""
        name = f"{block.group.number:05d}-{block.number:03d}"
        if self.texts is not None:
            return self.texts / f"{table}-{name}.csv"
        return self.parts / f"{table}.parquet" / f"part-{name}.parquet"

    @property
    def outputs(self) -> tuple[str, ...]:
        """Tables that the second pass writes: Parquet parts of the first two stand already."""
        return TABLES[2:] if self.texts is None else TABLES

    @property
    def carried(self) -> list[str]:
        """Columns that are only passed on."""
        return [name for name in self.schema.names if name not in self.types]

    def frame(self, table: "pa.Table") -> pd.DataFrame:
        """Return the columns that are worked on, as the canonical frame in memory has them."""
        return table.select(list(self.types)).to_pandas().astype(self.types)

    def joined(self, frame: pd.DataFrame, carried: "pa.Table") -> "pa.Table":
        """Return a frame with its rows of the carried columns, in the schema's order."""
        table = as_arrow(frame).replace_schema_metadata(None)
        for name in self.carried:
            table = table.append_column(name, carried.column(name).cast(self.schema.field(name).type))
        return table.select(self.schema.names)


@dataclass(frozen=True)
class GroupFacts:
    """What the first pass found in a group.

    Args:
        blocks: Of how many blocks its parts are made.
        quality: What the report needs to know.
        sums: From `reading_sums`.
        sample: Its candidates of the sample; None where nothing is fitted.
    """

    blocks: int
    quality: PartQuality
    sums: dict[str, tuple[float, int]]
    sample: Sample | None


def examine_group(group: Group, job: Job) -> GroupFacts:
    """Mask suspects and engineer features; write the cleaned and the features part."""
    table = read_group(job.readings, group)
    strings = look_at_strings(job.frame(table), job.facts)
    carried, hashes = table.select(job.carried), row_hashes(strings.frame)
    del table
    samples = []
    blocks = cell_blocks(strings.frame, BLOCK_ROWS)
    with ExitStack() as stack:
        cleaned = stack.enter_context(PartFile(job.part("cleaned", group)))
        features = stack.enter_context(PartFile(job.part("features", group)))
        predictors = stack.enter_context(PartFile(job.kept_predictors(group)))
        for rows in blocks:
            block = look_at_cells(strings, rows, job.facts)
            joined = job.joined(block.frame, carried.take(rows))
            cleaned.write(joined)
            features.write(_with_features(joined, block.features))
            predictors.write(as_arrow(_of_incomplete(block)))
            if job.cut is not None:
                samples.append(Sample.of(block, hashes[rows], job.cut))
    sample = Sample.together(samples) if samples else None
    return GroupFacts(len(blocks), strings.quality, reading_sums(strings.frame), sample)


def _with_features(table: "pa.Table", features: pd.DataFrame) -> "pa.Table":
    kept = table.select([name for name in table.column_names if name not in feature_names()])
    for name in features:
        kept = kept.append_column(name, as_arrow(features[[name]]).column(0))
    return kept


def _of_incomplete(block: Block) -> pd.DataFrame:
    """Return the predictors of rows that lack a reading, with their place in the block."""
    measured = [name for name in MEASURED_NAMES if name in block.frame]
    incomplete = block.frame[measured].isna().any(axis=1).to_numpy()
    return block.predictors[incomplete].assign(**{PLACE: np.flatnonzero(incomplete)})


def finish_block(block: GroupBlock, job: Job, fitted: Fitted, chosen: CellChoice) -> Treatment:
    """Fill, scale and write the remaining parts of a block."""
    cleaned, features, predictors = _of_first_pass(job, block)
    frame = job.frame(cleaned)
    known = predictors.to_pandas().set_index(PLACE).reindex(range(len(frame)))  # NaN for complete rows
    imputed, filled = impute_block(frame, known, fitted.imputer)
    names = [name for name in fitted.scaler.columns if name not in MEASURED_NAMES]
    engineered = features.select(names).to_pandas()
    scaled, leftovers = scale(pd.concat([imputed, engineered], axis=1, copy=False), fitted.scaler)
    tables = {
        "cleaned": cleaned,
        "features": features,
        "imputed": job.joined(imputed, cleaned),
        "scaled": as_arrow(scaled),
    }
    first = block.group.number == block.number == 0  # CSV parts are appended to each other
    for name in job.outputs:
        with PartFile(job.output(name, block), header=first, fractions=job.fractions) as part:
            part.write(tables[name].replace_schema_metadata(None))
    return Treatment(filled, leftovers, sdv_table(chosen.rows_of(frame)))


def _of_first_pass(job: Job, block: GroupBlock) -> tuple["pa.Table", "pa.Table", "pa.Table"]:
    """Return a block as the first pass wrote it: cleaned, features, predictors."""
    import pyarrow.parquet

    group = block.group
    paths = (job.part("cleaned", group), job.part("features", group), job.kept_predictors(group))
    cleaned, features, predictors = (
        pyarrow.parquet.ParquetFile(path).read_row_group(block.number) for path in paths
    )
    return cleaned, features, predictors
