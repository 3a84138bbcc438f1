"""SDV's synthesizers with a seed, and with their chatter kept off stdout.

SDV 2.0 has no seed: the first sample after every fit uses one fixed constant, and HMA restarts it for each
parent row, so that all children of all parents are made of the same random numbers. The hooks used here
(`_set_random_state`, `_recreate_child_synthesizer`, `_numpy_seed`) are SDV's own but private; tests watch them.
"""

import contextlib
import logging
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from bms_schema.run.errors import InputError, NotEnoughData

from bms_generate.identifiers import without_sdv_names
from bms_generate.metadata_file import METADATA_NAME, Metadata, foreign_keys
from bms_generate.set_aside import unique_keys

Tables = dict[str, pd.DataFrame]
_MOST_SHOWN = 5


def fit_single(tables: Tables, metadata: Metadata, normal: dict[str, list[str]]) -> Any:
    """Fit a Gaussian copula to the only table.

    Args:
        tables: The only table by its name.
        metadata: Its description.
        normal: Per table, the columns that are normal scores.

    Raises:
        InputError: SDV refuses data or metadata.
    """
    from sdv.single_table import GaussianCopulaSynthesizer

    with quiet_sdv(), _refusals():
        distributions = dict.fromkeys(normal[next(iter(tables))], "norm")
        synthesizer = GaussianCopulaSynthesizer(
            _sdv_metadata(tables, metadata), numerical_distributions=distributions
        )
        synthesizer.fit(tables)
    return synthesizer


def sample_single(synthesizer: Any, table: str, rows: int, seed: int) -> Tables:
    """Sample `rows` rows; the same seed gives the same rows."""
    with quiet_sdv():
        synthesizer.reset_sampling()
        synthesizer._set_random_state(seed)
        sampled = {table: synthesizer.sample(num_rows=rows)[table]}
    return _with_plain_keys(sampled, synthesizer)


def fit_related(tables: Tables, metadata: Metadata, normal: dict[str, list[str]]) -> Any:
    """Fit SDV's hierarchical model to related tables; arguments as for `fit_single`.

    Raises:
        InputError: SDV refuses data or metadata.
    """
    _require_references(tables, metadata)
    with quiet_sdv(), _refusals():
        synthesizer = _seeded_hma()(_sdv_metadata(tables, metadata), verbose=False)
        for name, columns in normal.items():
            synthesizer.set_table_parameters(
                name, {"numerical_distributions": dict.fromkeys(columns, "norm")}
            )
        synthesizer.fit(tables)
    return synthesizer


def sample_related(synthesizer: Any, scale: float, seed: int) -> Tables:
    """Sample tables `scale` times as large as the real ones; the same seed gives the same rows."""
    with quiet_sdv():
        synthesizer.reset_sampling()
        synthesizer.start_from(seed)
        sampled: Tables = synthesizer.sample_scale(float(scale))
    return _with_plain_keys(sampled, synthesizer)


def _with_plain_keys(sampled: Tables, synthesizer: Any) -> Tables:
    described: Metadata = {"relationships": []} | synthesizer.metadata.to_dict()
    keys = {
        name: [*unique_keys(spec), *foreign_keys(described, name)]
        for name, spec in described["tables"].items()
    }
    return without_sdv_names(sampled, keys)


def _seeded_hma() -> type:
    from sdv.multi_table import HMASynthesizer

    class SeededHMA(HMASynthesizer):  # type: ignore[misc]
        """HMA whose every table and parent row draws from a stream of its own."""

        _streams: np.random.SeedSequence | None = None

        def start_from(self, seed: int) -> None:
            """Begin sampling from a seed."""
            self._numpy_seed = seed
            self._streams = np.random.SeedSequence(seed)
            for synthesizer in self._table_synthesizers.values():
                self._give_stream(synthesizer)

        def _recreate_child_synthesizer(self, child_name: str, parent_name: str, parent_row: Any) -> Any:
            synthesizer = super()._recreate_child_synthesizer(child_name, parent_name, parent_row)
            self._give_stream(synthesizer)
            return synthesizer

        def _give_stream(self, synthesizer: Any) -> None:
            if self._streams is not None and synthesizer._model:
                synthesizer._set_random_state(int(self._streams.spawn(1)[0].generate_state(1)[0]))

    return SeededHMA


def _sdv_metadata(tables: Tables, metadata: Metadata) -> Any:
    from sdv.metadata import Metadata as SdvMetadata

    loaded = SdvMetadata.load_from_dict(metadata)
    loaded.validate()
    loaded.validate_data(tables)
    return loaded


@contextlib.contextmanager
def quiet_sdv() -> Iterator[None]:
    """Keep SDV's prints off the protocol's stream, and its warnings and event logs off stderr."""
    for name in ("SingleTableSynthesizer", "MultiTableSynthesizer", "Metadata", "sdv", "rdt", "copulas"):
        logging.getLogger(name).setLevel(logging.WARNING)
    with contextlib.redirect_stdout(sys.stderr), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def _refusals() -> Iterator[None]:
    """Word SDV's refusals of data and metadata as ours."""
    from sdv.errors import InvalidDataError, SynthesizerInputError
    from sdv.metadata.errors import InvalidMetadataError

    try:
        yield
    except (InvalidDataError, InvalidMetadataError, SynthesizerInputError) as error:
        text = " ".join(str(error).split())
        raise InputError(
            f"SDV refuses the data: {text[:700].rstrip('.')}.",
            expected=f"tables that fit {METADATA_NAME}",
            fix=f"Correct the CSV files or {METADATA_NAME}.",
        ) from error


def require_keys(tables: Tables, metadata: Metadata) -> None:
    """Refuse a primary key that does not name its rows; a renumbered one is never shown to SDV.

    Raises:
        InputError: missing or repeated values.
    """
    for name, spec in metadata["tables"].items():
        if not (key := spec.get("primary_key")):
            continue
        column = tables[name][key]
        missing, repeated = column.isna(), column.duplicated() & column.notna()
        found = (
            [f"{int(missing.sum())} missing, first in data row {missing.argmax() + 1}"]
            if missing.any()
            else []
        )
        if repeated.any():
            found.append(f"{int(repeated.sum())} repeated: {_first_values(column[repeated])}")
        if found:
            raise InputError(
                f"Values of the key {name}.{key} are missing or repeated ({'; '.join(found)}).",
                expected="a different value in every row",
                fix=f"Correct {name}.csv, or take primary_key out of {METADATA_NAME}.",
            )


def _require_references(tables: Tables, metadata: Metadata) -> None:
    """Refuse foreign keys without a parent, which SDV answers with a method of its own and without the table."""
    for link in metadata["relationships"]:
        parent, child = link["parent_table_name"], link["child_table_name"]
        column = tables[child][link["child_foreign_key"]]
        orphans = column[column.notna() & ~column.isin(tables[parent][link["parent_primary_key"]])]
        if len(orphans):
            raise InputError(
                f"{len(orphans):,} of {len(column):,} values of {child}.{column.name} name no row of {parent}: "
                f"{_first_values(orphans)}.",
                expected=f"values of {parent}.{link['parent_primary_key']}",
                fix=f"Add the rows to {parent}.csv, take those of {child}.csv out, or pass method='trees', which "
                "leaves the key of such rows blank.",
            )


def _first_values(column: pd.Series) -> str:
    distinct = column.unique()
    shown = ", ".join(str(value)[:40] for value in distinct[:_MOST_SHOWN])
    return f"{shown}, …" if len(distinct) > _MOST_SHOWN else shown


def require_rows(tables: Tables, metadata: Metadata, *, least: int) -> None:
    """Refuse tables too short to learn a distribution from.

    Raises:
        NotEnoughData: a table that is nobody's parent has fewer than `least` rows, a parent fewer than 2.
    """
    parents = {link["parent_table_name"] for link in metadata["relationships"]}
    for name, frame in tables.items():
        needed = 2 if name in parents else least
        if len(frame) < needed:
            raise NotEnoughData(
                f"Table '{name}' has {len(frame)} row(s).",
                expected=f"at least {needed} to learn a distribution from",
                fix="Add data.",
            )
