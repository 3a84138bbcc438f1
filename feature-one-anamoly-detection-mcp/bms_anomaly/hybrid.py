"""The hybrid detector: One-Class SVM, Isolation Forest and VAE, joined as calibrated tail probabilities."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from bms_schema.run.errors import InvalidArgument, NotEnoughData
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_array, check_is_fitted

from bms_anomaly import vae
from bms_anomaly.members import fit_forest, fit_svm, score_member
from bms_anomaly.scaling import RobustScaling
from bms_anomaly.tails import TailCalibration

MEMBERS = ("svm", "forest", "vae")
MOST_FIT_ROWS, FEWEST_FIT_ROWS = 20_000, 20
HELD_OUT_SHARE = 0.3
# Share of normal rows that `predict` may call anomalous where no contamination is given.
FALSE_ALARM_RATE = 1e-3
# Rows this many sigmas above the crowd's middle teach the members nothing. The sigma is read from the quiet
# side, which anomalies cannot widen; of well-behaved data the rule drops a few per cent [U].
TRIM_SIGMAS = 2.5
QUIET_SIDE = 0.1587  # quantile one sigma below the middle of a normal distribution


class HybridDetector(BaseEstimator):
    """Detects odd rows of any numeric table with three members whose scores are made comparable.

    Columns are scaled robustly and compressed; rows far outside the crowd are set aside, so that anomalies in
    the training data (10-20 % of a fleet's rows) do not teach the members; of the rest a part is held out.
    Each member's score becomes the tail probability of a held-out row; their mean -log10 is calibrated once
    more. Deterministic for given rows and seed, on CPU.

    Sources: Schölkopf et al. 2001 (SVM), Liu et al. 2008 (forest), Kingma and Welling 2014 (VAE), Pickands 1975
    (exponential tail beyond the held-out scores).

    Args:
        contamination: Share of the training rows that `predict` calls anomalous, in (0, 0.5]. None: the
            threshold that one normal row in a thousand exceeds.
        random_state: Seed.

    Attributes:
        threshold_: Score from which `predict` says 1.
        n_features_in_: Number of columns.

    >>> rows = np.vstack([np.random.default_rng(0).normal(size=(400, 3)), [[9.0, 9.0, 9.0]]])
    >>> detector = HybridDetector().fit(rows[:400])
    >>> detector.predict(rows[400:]).tolist()
    [1]
    """

    def __init__(self, contamination: float | None = None, random_state: int = 0) -> None:
        self.contamination = contamination
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> Self:
        """Fit on rows (n, d); NaN is allowed and counts as the column's middle. At most 20,000 rows are used.

        Raises:
            InvalidArgument: contamination out of range.
            NotEnoughData: fewer than 20 rows.
        """
        if self.contamination is not None and not 0.0 < self.contamination <= 0.5:
            raise InvalidArgument(
                f"contamination is {self.contamination}.", expected="None, or above 0 up to 0.5"
            )
        x = check_array(X, dtype=float, ensure_all_finite="allow-nan")
        if len(x) < FEWEST_FIT_ROWS:
            raise NotEnoughData(
                f"There are {len(x)} rows to learn from.",
                expected=f"at least {FEWEST_FIT_ROWS}",
                fix="Pass more rows, or score them with a stored model.",
            )
        rows = x[np.random.default_rng(self.random_state).permutation(len(x))[:MOST_FIT_ROWS]]
        self.n_features_in_ = x.shape[1]
        self.scaling_ = RobustScaling.fitted(rows)
        crowd = _crowd(self.scaling_.transform(rows))
        held_out, learnt = np.split(crowd, [max(1, round(HELD_OUT_SHARE * len(crowd)))])
        self.svm_ = fit_svm(learnt, self.random_state)
        self.forest_ = fit_forest(learnt, self.random_state)
        self.vae_ = vae.train(learnt, self.random_state)
        raw = self._raw_scores(held_out)
        self.tails_ = {name: TailCalibration.fitted(scores) for name, scores in raw.items()}
        self.combined_tail_ = TailCalibration.fitted(self._tails(raw).mean(axis=1))
        self.threshold_ = -np.log10(FALSE_ALARM_RATE)
        if self.contamination is not None:
            self.threshold_ = float(np.quantile(self.score_samples(rows), 1.0 - self.contamination))
        return self

    def scaled(self, X: Any) -> np.ndarray:
        """Return the columns as the members see them, shape (n, d): 0 is usual, ±1 about one sigma."""
        check_is_fitted(self, "scaling_")
        x = check_array(X, dtype=float, ensure_all_finite="allow-nan", ensure_min_samples=0)
        if x.shape[1] != self.n_features_in_:
            raise InvalidArgument(
                f"X has {x.shape[1]} columns.", expected=f"{self.n_features_in_}, as in fit"
            )
        return self.scaling_.transform(x)

    def member_scores(self, X: Any) -> np.ndarray:
        """Return each member's -log10 tail probability, shape (n, 3), in the order of `MEMBERS`."""
        return self._tails(self._raw_scores(self.scaled(X)))

    def combine(self, member_scores: np.ndarray) -> np.ndarray:
        """Return the joint score, shape (n,), of member scores (n, 3)."""
        return self.combined_tail_.log10_tail(member_scores.mean(axis=1))

    def score_samples(self, X: Any) -> np.ndarray:
        """Return -log10 of the chance that a normal row looks this odd, shape (n,); higher = more anomalous."""
        return self.combine(self.member_scores(X))

    def predict(self, X: Any) -> np.ndarray:
        """Return 1 for anomalies and 0 for normal rows, shape (n,) (not scikit-learn's -1 and 1)."""
        odd: np.ndarray = (
            self.score_samples(X) > self.threshold_
        )  # not >=: rows that are all alike are not odd
        return odd.astype(int)

    def _raw_scores(self, z: np.ndarray) -> dict[str, np.ndarray]:
        return {
            "svm": score_member(self.svm_, z),
            "forest": score_member(self.forest_, z),
            "vae": vae.score(self.vae_, z),
        }

    def _tails(self, raw: dict[str, np.ndarray]) -> np.ndarray:
        return np.column_stack([self.tails_[name].log10_tail(raw[name]) for name in MEMBERS])


def _crowd(z: np.ndarray) -> np.ndarray:
    """Return the rows of scaled data (n, d) that lie with the crowd."""
    unrest = np.log1p(z**2).mean(axis=1)
    middle = np.median(unrest)
    sigma = middle - np.quantile(unrest, QUIET_SIDE)
    crowd: np.ndarray = z[unrest <= middle + TRIM_SIGMAS * sigma]
    return crowd
