"""May models be trained on the twin? Whether it teaches what the real table teaches, in time and cell by cell."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bms_generate.known_names import unit_of
from bms_generate.series_scores import LabelRates
from bms_generate.telemetry_scores import SeriesScores, TelemetryScores
from bms_generate.trained_on import LEAST_TAUGHT, TrainedOn
from bms_generate.two_sample import TwoSample
from bms_generate.verdict import Reason, grade, percent

# Share of what real data teach above guessing that may be lost: 2 % of an AUROC of 1 is 4 % of its lead over 0.5.
_LOST_FOR_YES, _LOST_FOR_CARE = 0.05, 0.2
# Sibling fleets of one simulated process differ by 0.1 in the mean lag-1 autocorrelation; a copula by 0.6.
_MEMORY_FOR_YES, _MEMORY_FOR_CARE = 0.15, 0.3
# The same fleets differ by up to 0.2 in the mean correlation between signals.
_TOGETHER_FOR_YES, _TOGETHER_FOR_CARE = 0.2, 0.4
# Factor on the variance between cells: siblings of five strings differ by 2 in the median signal, a copula by 50.
_FACTOR_FOR_YES, _FACTOR_FOR_CARE = 2.0, 4.0
# Spread of a shared signal over a string, in the signal's own deviations: what a sensor's last digit may do.
_SPREAD_FOR_YES, _SPREAD_FOR_CARE = 0.01, 0.1
# Loss of regular steps plus repeated moments: lags and windows count on the clock.
_CLOCK_FOR_YES, _CLOCK_FOR_CARE = 0.02, 0.1
# Factor on the label's rate: a fifth is within chance for some ten labelled cells, a factor of 2 bends thresholds.
_RATE_FOR_YES, _RATE_FOR_CARE = 1.25, 2.0
# Below it an AUROC is less than scatter; then the folds themselves are what the trees see.
_BELOW_CHANCE = 0.45
_WHY_BELOW = {
    "strings": "whole strings are held out, and they differ from each other more than synthetic from real ones",
    "time blocks": "whole stretches of time are held out, and they differ from each other more than the two tables",
    "rows": "the rows are few, or synthetic ones lie near real ones of other folds",
}
# Told apart more often than this the twin has marks of its own, which a model may learn; no reason to refuse it.
_TOLD_APART = 0.65


def judge_training(scores: TelemetryScores) -> list[Reason]:
    """Return what speaks for and against training on one table.

    Args:
        scores: Of the table.
    """
    reasons = [*_taught(scores.trained_on), *_told_apart(scores.two_sample)]
    if not reasons:
        too_few = "Too few rows or columns to measure what a model would learn."
        reasons.append(Reason("with care", too_few, measured=False))
    if scores.label is not None:
        reasons.append(_label(scores.label))
    if scores.series is not None:
        reasons += _in_time(scores.series)
    return reasons


def _taught(learnt: TrainedOn) -> Iterator[Reason]:
    real, synthetic = learnt.headline
    if not np.isfinite(real):
        return
    floor, what = (
        (0.5, f"AUROC of {learnt.table['target'].iloc[0]}") if learnt.task == "label" else (0.0, "mean R2")
    )
    note = f" ({learnt.note}, so signals are guessed from each other)" if learnt.note else ""
    if real - floor < LEAST_TAUGHT:
        yield Reason(
            "with care", f"Even real rows teach little: {what} {real:.3f} on held-out real rows{note}."
        )
        return
    lost = (real - synthetic) / (real - floor)
    yield Reason(
        grade(lost, _LOST_FOR_YES, _LOST_FOR_CARE),
        f"Trained on synthetic rows, {what} on held-out real rows is {synthetic:.3f}; trained on real ones "
        f"{real:.3f}{note}.",
    )


def _told_apart(judged: TwoSample) -> Iterator[Reason]:
    if not judged.folds:
        return
    unit = "rows" if judged.records == "rows" else "whole windows of a cell"
    why = f"; below 0.5: {_WHY_BELOW[judged.split]}" if judged.auroc < _BELOW_CHANCE else ""
    yield Reason(
        "yes" if judged.auroc <= _TOLD_APART else "with care",
        f"Boosted trees tell {unit} from real ones with AUROC {judged.auroc:.2f} (folds by {judged.split} "
        f"{min(judged.folds):.2f} to {max(judged.folds):.2f}; 0.5 = not at all{why}).",
    )


def _label(rates: LabelRates) -> Reason:
    factor, cells = _factor(rates.rows_synthetic, rates.rows_real), ""
    if np.isfinite(rates.cells_real):
        factor = max(factor, _factor(rates.cells_synthetic, rates.cells_real))
        cells = f"; in {percent(rates.cells_synthetic)} of the cells, real {percent(rates.cells_real)}"
    return Reason(
        grade(factor, _RATE_FOR_YES, _RATE_FOR_CARE),
        f"{rates.label} is true in {percent(rates.rows_synthetic)} of the rows, real {percent(rates.rows_real)}"
        f"{cells}.",
    )


def _in_time(series: SeriesScores) -> Iterator[Reason]:
    first = series.autocorrelation[series.autocorrelation["lag"] == 1]
    if len(first):
        # Where nothing lies on the grid nothing is remembered.
        error = (first["real"] - first["synthetic"].fillna(0.0)).abs()
        worst = first.loc[error.idxmax()]
        yield Reason(
            grade(float(error.mean()), _MEMORY_FOR_YES, _MEMORY_FOR_CARE),
            f"Memory: lag-1 autocorrelations differ by {error.mean():.2f} on average, most for {worst['signal']} "
            f"({_or_none(worst['synthetic'])}, real {worst['real']:.2f}).",
        )
    yield from _together(series)
    yield from _between_cells(series)
    yield from _shared(series)
    clock = series.clock
    lost = (
        max(clock.regular_real - clock.regular_synthetic, 0) + clock.repeated_synthetic - clock.repeated_real
    )
    yield Reason(
        grade(lost, _CLOCK_FOR_YES, _CLOCK_FOR_CARE),
        f"Clock: {percent(clock.regular_synthetic)} of the steps are as long as usual, real "
        f"{percent(clock.regular_real)}; {percent(clock.repeated_synthetic)} of the moments come twice in a cell, "
        f"real {percent(clock.repeated_real)}.",
    )


def _shared(series: SeriesScores) -> Iterator[Reason]:
    """Judge the shared signals by the one that is least shared, against how much it moves over time."""
    if not len(series.shared):
        return
    moves = series.variance.set_index("signal").loc[series.shared["signal"]]
    deviation = np.sqrt(moves["between_real"] + moves["within_real"]).to_numpy()
    apart = ((series.shared["synthetic"] - series.shared["real"]) / deviation).fillna(np.inf)
    place = int(apart.to_numpy().argmax())
    worst, unit = series.shared.iloc[place], _unit(series.shared["signal"].iloc[place])
    others = f" (the worst of {len(apart)} such signals)" if len(apart) > 1 else ""
    yield Reason(
        grade(float(apart.iloc[place]), _SPREAD_FOR_YES, _SPREAD_FOR_CARE),
        f"{worst['signal']} is one value per string and moment: cells lie {_or_none(worst['synthetic'], 3)}{unit} "
        f"apart, real {worst['real']:.3f}{unit}; over time it moves by {deviation[place]:.3g}{unit}{others}.",
    )


def _together(series: SeriesScores) -> Iterator[Reason]:
    pairs = series.cross_correlation
    if not len(pairs):
        return
    error = (pairs["real"] - pairs["synthetic"].fillna(0.0)).abs()
    worst = pairs.loc[error.idxmax()]
    when = "" if worst["lag"] == 0 else " one step later"
    yield Reason(
        grade(float(error.mean()), _TOGETHER_FOR_YES, _TOGETHER_FOR_CARE),
        f"Signals together: correlations within a cell differ by {error.mean():.2f} on average, most for "
        f"{worst['signal']} with {worst['other']}{when} ({_or_none(worst['synthetic'])}, real "
        f"{worst['real']:.2f}).",
    )


def _between_cells(series: SeriesScores) -> Iterator[Reason]:
    own = series.variance[~series.variance["signal"].isin(series.shared["signal"])].dropna(
        subset=["between_ratio"]
    )
    if not len(own):
        return
    ratio = float(own["between_ratio"].median())
    yield Reason(
        grade(_factor(ratio, 1.0), _FACTOR_FOR_YES, _FACTOR_FOR_CARE),
        f"Cells differ from each other by {ratio:.2g} times the real variance (median signal; from "
        f"{own['between_ratio'].min():.2g} to {own['between_ratio'].max():.2g}).",
    )


def _unit(signal: str) -> str:
    return f" {unit_of(signal)}".rstrip()


def _factor(value: float, wanted: float) -> float:
    """Return by what factor a value misses, never below 1; infinite where one of them is nought."""
    if min(value, wanted) <= 0:
        return 1.0 if value == wanted else float("inf")
    return max(value / wanted, wanted / value)


def _or_none(value: float, digits: int = 2) -> str:
    return f"{round(value, digits) + 0.0:.{digits}f}" if np.isfinite(value) else "none"
