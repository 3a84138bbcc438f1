"""What a worker does with one group of strings: the same on any worker and however often."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from bms_schema.data.columns import MEASURED_NAMES
from bms_schema.data.features import feature_names
from bms_schema.data.sampling import row_hashes
from bms_schema.run.tables import as_arrow

from bms_preprocess.imputation import impute_block, reading_sums
from bms_preprocess.learning import Sample
from bms_preprocess.part_files import PartFile
from bms_preprocess.partitions import Group, cell_blocks, read_group
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
        """Return where the Parquet part of a table lies."""
        return self.parts / f"{table}.parquet" / f"part-{group.number:05d}.parquet"

    def text(self, table: str, group: Group) -> Path:
        """Return where the CSV part of a table lies."""
        assert self.texts is not None
        return self.texts / f"{table}-{group.number:05d}.csv"

    def kept_predictors(self, group: Group) -> Path:
        """Return where the predictors of the incomplete rows lie."""
        return self.predictors / f"part-{group.number:05d}.parquet"

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
    """What the first pass found in a group."""

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
    with ExitStack() as stack:
        cleaned = stack.enter_context(PartFile(job.part("cleaned", group)))
        features = stack.enter_context(PartFile(job.part("features", group)))
        predictors = stack.enter_context(PartFile(job.kept_predictors(group)))
        for rows in cell_blocks(strings.frame, BLOCK_ROWS):
            block = look_at_cells(strings, rows, job.facts)
            joined = job.joined(block.frame, carried.take(rows))
            cleaned.write(joined)
            features.write(_with_features(joined, block.features))
            predictors.write(as_arrow(_of_incomplete(block)))
            if job.cut is not None:
                samples.append(Sample.of(block, hashes[rows], job.cut))
    sample = Sample.together(samples) if samples else None
    return GroupFacts(strings.quality, reading_sums(strings.frame), sample)


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


def finish_group(group: Group, job: Job, fitted: Fitted, chosen: CellChoice) -> Treatment:
    """Fill, scale and write the remaining parts of a group."""
    filled: dict[str, int] = {}
    leftovers, sdv = 0, []
    with ExitStack() as stack:
        files = {name: stack.enter_context(_output(job, name, group)) for name in _outputs(job)}
        for cleaned, features, predictors in _blocks(job, group):
            frame = job.frame(cleaned)
            imputed, counts = impute_block(frame, _all_rows(predictors, len(frame)), fitted.imputer)
            names = [name for name in fitted.scaler.columns if name in features.column_names]
            engineered = features.select([name for name in names if name not in MEASURED_NAMES]).to_pandas()
            scaled, gaps = scale(pd.concat([imputed, engineered], axis=1, copy=False), fitted.scaler)
            tables = {"cleaned": cleaned, "features": features, "scaled": as_arrow(scaled)}
            tables["imputed"] = job.joined(imputed, cleaned)
            for name, file in files.items():
                file.write(tables[name].replace_schema_metadata(None))
            filled = {name: filled.get(name, 0) + count for name, count in counts.items()}
            leftovers += gaps
            sdv.append(sdv_table(chosen.rows_of(frame)))
    return Treatment(filled, leftovers, pd.concat(sdv, ignore_index=True))


def _outputs(job: Job) -> tuple[str, ...]:
    return TABLES[2:] if job.texts is None else TABLES


def _output(job: Job, table: str, group: Group) -> PartFile:
    path = job.part(table, group) if job.texts is None else job.text(table, group)
    # Parts are appended to each other in the order of the groups.
    return PartFile(path, header=group.number == 0, fractions=job.fractions)


def _blocks(job: Job, group: Group) -> Iterator[tuple["pa.Table", "pa.Table", "pa.Table"]]:
    """Yield the blocks of a group as the first pass wrote them: cleaned, features, predictors."""
    import pyarrow.parquet

    paths = (job.part("cleaned", group), job.part("features", group), job.kept_predictors(group))
    files = [pyarrow.parquet.ParquetFile(path) for path in paths]
    for number in range(files[0].num_row_groups):
        cleaned, features, predictors = (file.read_row_group(number) for file in files)
        yield cleaned, features, predictors


def _all_rows(predictors: "pa.Table", rows: int) -> pd.DataFrame:
    """Return predictors of incomplete rows among those of all rows, NaN for the others."""
    return predictors.to_pandas().set_index(PLACE).reindex(range(rows))
