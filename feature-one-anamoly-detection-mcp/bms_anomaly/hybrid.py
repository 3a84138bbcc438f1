"""The hybrid detector: five members, their scores made comparable as tail probabilities and joined."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from bms_schema.run.errors import InvalidArgument, NotEnoughData
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_array, check_is_fitted

from bms_anomaly import vae
from bms_anomaly.devices import Device, torch_device
from bms_anomaly.ensemble import MEMBERS, Ensemble, by_slices, far_out
from bms_anomaly.scaling import RobustScaling
from bms_anomaly.tails import TailCalibration
from bms_anomaly.weights import skills, weights

MOST_FIT_ROWS, FEWEST_FIT_ROWS = 20_000, 20
FOLDS = 3
# From here on one fold's rows are plenty to calibrate on, and the other two to learn from.
ROWS_FOR_ONE_SPLIT = 5_000


class HybridDetector(BaseEstimator):
    """Detects odd rows of any numeric table: one fixed configuration for all of them.

    Members: One-Class SVM, Isolation Forest, variational autoencoder, nearest neighbours and robust covariance.
    Columns are scaled robustly. Rows far outside the crowd do not teach the members that such rows would mislead.
    Each member's score becomes the tail probability of rows of the crowd held out from it; the members' -log10 are
    joined by a weighted quadratic mean, so that one sure member is heard, and calibrated once more. The weights are
    chosen on the training rows and may be zero. Deterministic for given rows and seed. At most 20,000 rows, chosen
    at random, are learnt from.

    Sources: Schölkopf et al. 2001 (SVM), Liu et al. 2008 (forest), Kingma and Welling 2014 (VAE), Sugiyama and
    Borgwardt 2013 (neighbours), Rousseeuw and Van Driessen 1999 (covariance), Pickands 1975 (exponential
    tail beyond the held-out scores).

    Args:
        contamination: Share of the training rows that `predict` calls anomalous, in (0, 0.5]. None: the training
            rows are taken for normal ones and `false_alarm_rate` holds.
        false_alarm_rate: Share of rows like those trained on that `predict` calls anomalous, in (0, 0.5].
        random_state: Seed.
        device: Where the autoencoder and the neighbours' distances are worked out: "auto" takes a CUDA GPU where
            torch sees one, "cuda" insists on it. What was learnt is kept in main memory, and scores are those of
            the CPU up to rounding.

    Attributes:
        weights_: Weight of each member in the order of `MEMBERS`, sums to 1.
        threshold_: Score above which `predict` says 1.
        n_features_in_: Number of columns.

    >>> rows = np.vstack([np.random.default_rng(0).normal(size=(400, 3)), [[9.0, 9.0, 9.0]]])
    >>> detector = HybridDetector().fit(rows[:400])
    >>> detector.predict(rows[400:]).tolist()
    [1]
    """

    def __init__(
        self,
        contamination: float | None = None,
        false_alarm_rate: float = 1e-3,
        random_state: int = 0,
        device: Device = "cpu",
    ) -> None:
        self.contamination = contamination
        self.false_alarm_rate = false_alarm_rate
        self.random_state = random_state
        self.device = device

    def fit(self, X: Any, y: Any = None, groups: Any = None) -> Self:
        """Fit on rows (n, d); NaN is allowed and counts as the column's middle.

        Args:
            X: Rows.
            y: Ignored.
            groups: What each row belongs to, (n,), such as its cell. Whole groups are held out for the
                calibration, so that it holds for groups never seen.

        Raises:
            InvalidArgument: contamination or false_alarm_rate out of range, or no such device.
            NotEnoughData: fewer than 20 rows.
        """
        self._check_shares()
        x = check_array(X, dtype=float, ensure_all_finite="allow-nan")
        if len(x) < FEWEST_FIT_ROWS:
            raise NotEnoughData(
                f"There are {len(x)} rows to learn from.",
                expected=f"at least {FEWEST_FIT_ROWS}",
                fix="Pass more rows, or score them with a stored model.",
            )
        chosen = np.random.default_rng(self.random_state).permutation(len(x))[:MOST_FIT_ROWS]
        rows = x[chosen]
        self.n_features_in_ = x.shape[1]
        self.scaling_ = RobustScaling.fitted(rows)
        z = self.scaling_.transform(rows)
        raw, skill = self._fit_members(z, None if groups is None else np.asarray(groups)[chosen])
        self.weights_ = weights(skill)
        self.latent_centre_, self.latent_axes_ = _principal_axes(vae.latent(self.members_.vae, z))
        crowd = far_out(raw[:, MEMBERS.index("forest")], raw[:, MEMBERS.index("covariance")]) <= 1.0
        self.tails_ = [TailCalibration.fitted(raw[crowd, member]) for member in range(len(MEMBERS))]
        joined = self._joined(self._tails(raw))
        self.combined_tail_ = TailCalibration.fitted(joined[crowd])
        scores = self.combined_tail_.log10_tail(joined)
        if self.contamination is None:
            self.threshold_ = TailCalibration.fitted(scores).score_at(self.false_alarm_rate)
        else:
            self.threshold_ = float(np.quantile(self.score_samples(rows), 1.0 - self.contamination))
        return self

    def scaled(self, X: Any) -> np.ndarray:
        """Return the columns as the members see them, shape (n, d): 0 is usual, ±1 about one sigma."""
        return self.scaling_.transform(self._checked(X))

    def member_scores(self, X: Any) -> np.ndarray:
        """Return each member's -log10 tail probability, shape (n, 5), in the order of `MEMBERS`."""
        checked = self._checked(X)
        members = self.members_.on(torch_device(self.device))
        return by_slices(lambda x: self._tails(members.slice_scores(self.scaling_.transform(x))), checked)

    def combine(self, member_scores: np.ndarray) -> np.ndarray:
        """Return the joint score, shape (n,), of member scores (n, 5)."""
        return self.combined_tail_.log10_tail(self._joined(member_scores))

    def score_samples(self, X: Any) -> np.ndarray:
        """Return -log10 of the chance that a row of the crowd looks this odd, (n,); higher = more anomalous.

        A row that was trained on is no neighbour of itself.
        """
        return self.combine(self.member_scores(X))

    def predict(self, X: Any) -> np.ndarray:
        """Return 1 for anomalies and 0 for normal rows, shape (n,) (not scikit-learn's -1 and 1)."""
        odd: np.ndarray = (
            self.score_samples(X) > self.threshold_
        )  # not >=: rows that are all alike are not odd
        return odd.astype(int)

    def latent(self, X: Any) -> np.ndarray:
        """Return where the autoencoder puts rows (n, d), shape (n, k), the widest axes of the training first."""
        z = self.scaled(X)
        return (vae.latent(self.members_.vae, z) - self.latent_centre_) @ self.latent_axes_

    def _checked(self, X: Any) -> np.ndarray:
        check_is_fitted(self, "scaling_")
        x = check_array(X, dtype=float, ensure_all_finite="allow-nan", ensure_min_samples=0)
        if x.shape[1] != self.n_features_in_:
            raise InvalidArgument(
                f"X has {x.shape[1]} columns.", expected=f"{self.n_features_in_}, as in fit"
            )
        return np.asarray(x)

    def _fit_members(self, z: np.ndarray, groups: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """Fit the members; return the raw scores (h, 5) of rows by members that had not seen them, and skills."""
        splits, device = _splits(len(z), groups, self.random_state), torch_device(self.device)
        raw, skill = [], []
        for number, (learnt, held_out) in enumerate(splits):
            members = Ensemble.fitted(z[learnt], self.random_state, device)
            raw.append(members.raw_scores(z[held_out]))
            skill.append(skills(members.raw_scores, z[held_out], self.random_state + number))
        if len(splits) > 1:
            members = Ensemble.fitted(z, self.random_state, device)
        self.members_ = members.on(None)  # so that it can be stored, and loaded where there is no GPU
        return np.concatenate(raw), np.mean(skill, axis=0)

    def _tails(self, raw: np.ndarray) -> np.ndarray:
        return np.column_stack([tail.log10_tail(raw[:, member]) for member, tail in enumerate(self.tails_)])

    def _joined(self, tails: np.ndarray) -> np.ndarray:
        return np.asarray(np.sqrt(tails**2 @ self.weights_))

    def _check_shares(self) -> None:
        for name in ("contamination", "false_alarm_rate"):
            share = getattr(self, name)
            if share is not None and not 0.0 < share <= 0.5:
                raise InvalidArgument(f"{name} is {share}.", expected="above 0 up to 0.5")


def _splits(n: int, groups: np.ndarray | None, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return (learnt, held out) rows: three folds that hold out every row once, or one where rows are plenty."""
    from sklearn.model_selection import GroupKFold, KFold

    if groups is not None and len(np.unique(groups)) >= FOLDS:
        folds = GroupKFold(FOLDS, shuffle=True, random_state=seed).split(np.empty(n), groups=groups)
    else:
        folds = KFold(FOLDS, shuffle=True, random_state=seed).split(np.empty(n))
    return list(folds)[: 1 if n >= ROWS_FOR_ONE_SPLIT else FOLDS]


def _principal_axes(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return centre (k,) and axes (k, k) of points (n, k), the widest first."""
    centre = points.mean(axis=0)
    _, axes = np.linalg.eigh(np.atleast_2d(np.cov(points, rowvar=False)))
    return centre, axes[:, ::-1]
