"""The detector of a run, fitted on the file or loaded, and what is to be said about it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from bms_schema.run.errors import InvalidArgument

from bms_anomaly.features import feature_names, signal_of
from bms_anomaly.scoring import FleetDetector, HealthyScores, TrainingRows, fit_on
from bms_anomaly.storage import load_detector


@dataclass(frozen=True)
class Asked:
    """What the caller wants to be found, and with which detector.

    Args:
        contamination: Share of the rows that are to lie in events.
        false_alarm_rate: Share of healthy rows that may lie in events.
        model: Stored version or "latest"; empty fits one on the file.
        seed: Of the fit.
    """

    contamination: float | None = None
    false_alarm_rate: float | None = None
    model: str = ""
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse two answers to one question.

        Raises:
            InvalidArgument: both shares are given.
        """
        if self.contamination is not None and self.false_alarm_rate is not None:
            raise InvalidArgument(
                f"contamination is {self.contamination:g} and false_alarm_rate is {self.false_alarm_rate:g}.",
                expected="one of them: the share of all rows to flag, or of healthy rows to flag by mistake",
                fix="Leave one out; without both, thresholds are fixed.",
            )


@dataclass(frozen=True)
class Learned:
    """A detector and where it comes from.

    Args:
        detector: Fitted.
        version: The stored version it was loaded from; empty when fitted just now.
        split: Which rows it was fitted on, in words.
    """

    detector: FleetDetector
    version: str
    split: str


def load(model: str) -> Learned:
    """Load a stored version.

    Raises:
        ModelError: no such version, of another release, or damaged.
    """
    detector, version = load_detector(model)
    return Learned(
        detector, version, f"scored with stored version {version}; nothing was fitted on this file"
    )


def learn(rows: TrainingRows, seed: int) -> Learned:
    """Fit a detector on the training rows of a file.

    Raises:
        NotEnoughData: fewer than 20 rows hold a reading.
    """
    detector = fit_on(rows, seed=seed)
    split = (
        f"fitted on {len(rows.table):,} of {rows.answered:,} rows with readings (smallest hash of cell and time), "
        "outliers among them set aside and a part held out to calibrate; all rows were scored"
    )
    return Learned(detector, "", split)


def with_healthy(learned: Learned, healthy: HealthyScores) -> Learned:
    """Return a detector that knows how high healthy rows score; a stored one keeps those it was fitted on."""
    if learned.version:
        return learned
    return replace(learned, detector=replace(learned.detector, healthy=healthy))


def unlike(detector: FleetDetector, columns: Collection[str]) -> list[str]:
    """Say which signals of a stored detector a file lacks, and which of the file's it does not know.

    Args:
        detector: Loaded.
        columns: `source_columns` of the file.
    """
    here, known = set(feature_names(columns)), set(detector.features)
    lacking = sorted({signal_of(name) for name in known - here})
    ignored = sorted({signal_of(name) for name in here - known})
    notes = []
    if lacking:
        notes.append(f"the model also judges {', '.join(lacking)}: without its readings that is left out")
    if ignored:
        notes.append(f"the model knows nothing of {', '.join(ignored)}: train on this file to have it judged")
    return notes
