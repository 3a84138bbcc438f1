"""The door for notebooks: fit on labelled readings, ask for risks; scikit-learn's conventions."""

import numpy as np
import pandas as pd
from bms_schema.data.columns import CELL_ID, IS_DEAD, TIMESTAMP
from bms_schema.data.table import BatteryTable, canonical_table
from bms_schema.run.errors import NotEnoughData

from bms_failure.blocks import AT
from bms_failure.evaluation import Evidence
from bms_failure.feature_set import FEATURE_NAMES
from bms_failure.folds import fold_groups
from bms_failure.labels import cell_lives, choose_horizon
from bms_failure.model import FailureModel, train
from bms_failure.moments import cell_moments, is_daily, is_latest
from bms_failure.needs import REQUIRED


class FailureClassifier:
    """Probability that a cell dies within `horizon` days, from BMS readings with `IsDead` labels.

    Labels, folds and calibration are those of the tool: whole groups are held out, the better of gradient
    boosted trees and two baselines is kept (`method_`), and `evidence_` holds the out-of-fold figures of all.
    Do not use it with fewer than two deaths in two groups; rank by indicators instead.

    Args:
        horizon: Days ahead; used as given, never shortened.
        random_state: Of folds, trees and bootstrap.
    """

    def __init__(self, horizon: int = 30, random_state: int = 0) -> None:
        self.horizon = horizon
        self.random_state = random_state

    def fit(self, frame: pd.DataFrame, groups: np.ndarray | None = None) -> "FailureClassifier":
        """Train on readings.

        Args:
            frame: One row per cell and reading, raw or canonical, with `Cell ID`, `Timestamp`, `CellVoltage`,
                `IsDead` and what else there is; rows in any order.
            groups: Group of each row, shape (n,), constant within a cell; no fold splits a group. None takes
                the string, or the cell where there is one string.

        Raises:
            NotEnoughData: the horizon cannot be labelled or learnt from this frame.
            MissingColumn: a required column is absent.
        """
        table = canonical_table(frame, require=(*REQUIRED, IS_DEAD))
        lives = cell_lives(table.frame)
        moments = cell_moments(table.frame, table.chemistry, lives.of_row)
        moments = moments[is_daily(moments)].reset_index(drop=True)
        if groups is None:
            of_moment = fold_groups(moments["string"].to_numpy(), moments[CELL_ID].to_numpy())[0]
        else:
            of_cell = (
                pd.Series(np.asarray(groups)).astype(str).groupby(table.frame[CELL_ID].to_numpy()).first()
            )
            of_moment = moments[CELL_ID].map(of_cell).to_numpy().astype(str)
        if choose_horizon(moments, of_moment, lives, self.horizon) != self.horizon:
            raise NotEnoughData(
                f"A horizon of {self.horizon} days cannot be learnt from this data.",
                expected="deaths of 2 cells in 2 groups, and two thirds of the days labelled",
                fix="Ask for a shorter horizon, or bring a longer history.",
            )
        training = train(
            moments, of_moment, lives, self.horizon, table.chemistry.profile.name, self.random_state
        )
        self.model_: FailureModel = training.model
        self.evidence_: Evidence = training.evidence
        self.method_ = training.model.method
        self.classes_ = np.array([0, 1])
        return self

    def predict_proba(self, frame: pd.DataFrame) -> np.ndarray:
        """Return [P(lives on), P(dies within the horizon)] of each row's cell as known at that row, shape (n, 2).

        Features are renewed at the end of every quarter day; rows before a cell's first one get the risk of
        a cell of which nothing is known. `IsDead` is not read.
        """
        table = canonical_table(frame, require=REQUIRED)
        moments = self._moments(table)
        risk = pd.DataFrame({CELL_ID: moments[CELL_ID], AT: moments[AT], "risk": self.model_.risk(moments)})
        rows = pd.DataFrame(
            {
                CELL_ID: table.frame[CELL_ID].to_numpy(),
                AT: table.frame[TIMESTAMP].to_numpy(),
                "row": np.arange(len(frame)),
            }
        )
        dated = rows[rows[AT].notna()].sort_values(AT, kind="stable")
        merged = pd.merge_asof(dated, risk.sort_values(AT, kind="stable"), on=AT, by=CELL_ID)
        unknown = pd.DataFrame(np.nan, index=[0], columns=list(FEATURE_NAMES))
        dying = np.full(len(frame), self.model_.risk(unknown)[0])
        found = merged["risk"].notna().to_numpy()
        dying[merged["row"].to_numpy()[found]] = merged["risk"].to_numpy()[found]
        return np.column_stack([1.0 - dying, dying])

    def predict_cells(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return `Cell ID`, `string`, `at` and `risk` of every cell at its last reading, highest risk first."""
        moments = self._moments(canonical_table(frame, require=REQUIRED))
        latest = moments[is_latest(moments)]
        scored = latest[[CELL_ID, "string", AT]].assign(risk=self.model_.risk(latest))
        return scored.sort_values(["risk", CELL_ID], ascending=[False, True], kind="stable").reset_index(
            drop=True
        )

    def _moments(self, table: BatteryTable) -> pd.DataFrame:
        return cell_moments(table.frame, table.chemistry, np.zeros(len(table.frame), dtype=int))
