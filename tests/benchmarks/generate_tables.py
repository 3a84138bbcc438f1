"""How alike synthetic tables are: `uv run python tests/benchmarks/generate_tables.py ADULT.csv`.

ADULT.csv is UCI Adult with integer codes (48,842 × 14; not part of this repository), or any table that `--numbers`
and `--target` describe. Shapes and pair trends are SDV's (sdmetrics), of the whole table and a twin fitted to
it, pairs once as SDV counts them (those that are correlated in the real table) and once all. Everything else is
of a twin fitted to a random half. `two-sample`: AUROC of XGBoost told to tell the twin from the other half (0.5
is best). `trained on`: AUROC for the target of XGBoost trained on the twin and tested on the other half.
`copies %`: rows that are rows of the fitted half. `nearest`: median distance to its nearest row. `closer`:
share of rows nearer to it than to the other half (0.5 is best). The line "real" puts other real rows in the
twin's place; "independent" has real columns shuffled each by itself, no model and yet a good score. Ours is the
median of several seeds.
"""

import argparse
import contextlib
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from bms_generate.dataset import Dataset
from bms_generate.synthesize import synthesize
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors
from xgboost import XGBClassifier

ADULT_NUMBERS = ["age", "fnlwgt", "capital-gain", "capital-loss", "hours-per-week"]
NAME = "table"
SCORED_ROWS = 3_000  # for distances, which take all pairs
Make = Callable[[pd.DataFrame, int], pd.DataFrame]


def describe(table: pd.DataFrame, numbers: list[str]) -> dict[str, Any]:
    """Return SDV's metadata: numbers, and the rest categories."""
    kinds = {name: {"sdtype": "numerical" if name in numbers else "categorical"} for name in table}
    return {"METADATA_SPEC_VERSION": "V2", "tables": {NAME: {"columns": kinds}}, "relationships": []}


def ours(metadata: dict[str, Any], method: str) -> Make:
    """Return the twin of `sdv_generate`."""

    def make(table: pd.DataFrame, seed: int) -> pd.DataFrame:
        numbers = [
            name
            for name, kind in metadata["tables"][NAME]["columns"].items()
            if kind["sdtype"] == "numerical"
        ]
        typed = table.astype(dict.fromkeys(numbers, float))
        dataset = Dataset(Path(), {NAME: typed}, metadata)
        twin = synthesize(dataset, rows=None, scale=1.0, seed=seed, method=method, progress=lambda *_: None)
        return twin.tables[NAME].astype(table.dtypes)

    return make


def plain_sdv(metadata: dict[str, Any], kind: str, most_rows: int | None = None, **options: Any) -> Make:
    """Return one of SDV's single-table synthesizers as it comes, fitted to at most so many rows."""

    def make(table: pd.DataFrame, seed: int) -> pd.DataFrame:
        import sdv.single_table
        from sdv.metadata import Metadata

        if kind == "TVAESynthesizer":
            import torch

            torch.manual_seed(seed)
        np.random.seed(seed)  # noqa: NPY002 (the generator SDV draws from)
        model = getattr(sdv.single_table, kind)(Metadata.load_from_dict(metadata), **options)
        model.fit({NAME: table.iloc[:most_rows]})
        return model.sample(num_rows=len(table))[NAME]

    return make


def shuffled(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return the real columns, each in an order of its own."""
    random = np.random.default_rng(seed)
    return pd.DataFrame({name: random.permutation(table[name]) for name in table})


def quality(real: pd.DataFrame, twin: pd.DataFrame, metadata: dict[str, Any]) -> dict[str, float]:
    """Return SDV's scores, pairs by both readings of its threshold."""
    from sdmetrics.reports import QualityReport

    scores = {}
    for name, threshold in (("pairs", None), ("all pairs", 0.0)):
        report = QualityReport()
        report.num_rows_subsample = None
        if threshold is not None:
            report.real_correlation_threshold = report.real_association_threshold = threshold
        report.generate({NAME: real}, {NAME: twin}, metadata, verbose=False)
        found = report.get_properties().set_index("Property")["Score"]
        scores |= {"shapes": found["Column Shapes"], name: found["Column Pair Trends"]}
    return scores


def forest(seed: int) -> XGBClassifier:
    """Return the judge."""
    return XGBClassifier(n_estimators=200, max_depth=6, learning_rate=0.1, random_state=seed)


def usefulness(other: pd.DataFrame, twin: pd.DataFrame, target: str) -> dict[str, float]:
    """Return how well the twin is told from unseen real rows, and how well a model trained on it does on them."""
    half = len(other) // 2
    known, unseen = (
        pd.concat([part(other), part(twin)]) for part in (lambda t: t[:half], lambda t: t[half:])
    )
    labels = np.repeat([0, 1], [half, half]), np.repeat([0, 1], [len(other) - half, len(twin) - half])
    told = forest(0).fit(known, labels[0]).predict_proba(unseen)[:, 1]
    learnt = (
        forest(0).fit(twin.drop(columns=target), twin[target]).predict_proba(other.drop(columns=target))[:, 1]
    )
    return {
        "two-sample": roc_auc_score(labels[1], told),
        "trained on": roc_auc_score(other[target], learnt),
    }


def nearness(
    fitted: pd.DataFrame, other: pd.DataFrame, twin: pd.DataFrame, numbers: list[str]
) -> dict[str, float]:
    """Return how near the twin's rows come to those it was fitted to; a differing label counts one deviation."""
    spread = fitted[numbers].std()
    labels = [name for name in fitted if name not in numbers]
    scored = twin.sample(min(SCORED_ROWS, len(twin)), random_state=0)

    def points(table: pd.DataFrame) -> np.ndarray:
        flags = [(table[name].to_numpy()[:, None] == fitted[name].unique()) / np.sqrt(2) for name in labels]
        return np.hstack([(table[numbers] / spread).to_numpy(), *flags]).astype("float32")

    def distances(to: pd.DataFrame) -> np.ndarray:
        found = (
            NearestNeighbors(n_neighbors=1, algorithm="brute").fit(points(to)).kneighbors(points(scored))[0]
        )
        return found[:, 0]

    to_fitted, to_other = distances(fitted), distances(other)
    apart = to_fitted != to_other
    real_rows = set(fitted.itertuples(index=False, name=None))
    copied = [row in real_rows for row in scored.itertuples(index=False, name=None)]
    return {
        "copies %": 100 * np.mean(copied),
        "nearest": np.median(to_fitted),
        "closer": np.mean(to_fitted[apart] < to_other[apart]),
    }


def measure(
    make: Make, table: pd.DataFrame, seed: int, metadata: dict[str, Any], asked: Any
) -> dict[str, float]:
    """Return all figures of one model and seed."""
    started = time.perf_counter()
    twin = make(table, seed)
    seconds = time.perf_counter() - started
    order = np.random.default_rng(seed).permutation(len(table))
    fitted, other = (table.iloc[part].reset_index(drop=True) for part in np.array_split(order, 2))
    half_twin = make(fitted, seed)
    return {
        **quality(table, twin, metadata),
        **usefulness(other, half_twin, asked.target),
        **nearness(fitted, other, half_twin, asked.numbers),
        "seconds": seconds,
    }


def reference(table: pd.DataFrame, metadata: dict[str, Any], asked: Any) -> dict[str, float]:
    """Return the figures of real rows in the twin's place: halves against each other, thirds for nearness."""
    first, second, third = (
        table.iloc[part].reset_index(drop=True)
        for part in np.array_split(np.random.default_rng(0).permutation(len(table)), 3)
    )
    return {
        **quality(first, second, metadata),
        **usefulness(first, second, asked.target),
        **nearness(first, third, second, asked.numbers),
    }


def main() -> None:
    """Print the table of all models."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("csv", type=Path)
    parser.add_argument("--numbers", nargs="*", default=ADULT_NUMBERS, help="columns that are no categories")
    parser.add_argument("--target", default="income", help="a column of two labels, 0 and 1")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--tvae-epochs", type=int, default=30, help="0 leaves it out; it needs torch")
    parser.add_argument("--tvae-rows", type=int, default=10_000)
    asked = parser.parse_args()
    warnings.filterwarnings("ignore")  # SDV's advice on metadata
    table = pd.read_csv(asked.csv)
    metadata = describe(table, asked.numbers)
    models: dict[str, tuple[Make, int]] = {
        "independent": (shuffled, 1),
        "SDV GaussianCopula": (plain_sdv(metadata, "GaussianCopulaSynthesizer"), 1),
        "ours, copula": (ours(metadata, "copula"), 1),
        "ours": (ours(metadata, "auto"), asked.seeds),
    }
    if asked.tvae_epochs:
        tvae = plain_sdv(metadata, "TVAESynthesizer", asked.tvae_rows, epochs=asked.tvae_epochs)
        models[f"SDV TVAE, {asked.tvae_epochs} epochs, {asked.tvae_rows:,} rows"] = tvae, 1
    lines = {}
    with contextlib.redirect_stdout(sys.stderr):
        lines["real"] = reference(table, metadata, asked)
        for name, (make, seeds) in models.items():
            found = pd.DataFrame([measure(make, table, seed, metadata, asked) for seed in range(seeds)])
            lines[name] = found.median().to_dict()
            print(name, lines[name], file=sys.stderr)
    print(pd.DataFrame(lines).T.round(3).to_string())


if __name__ == "__main__":
    main()
