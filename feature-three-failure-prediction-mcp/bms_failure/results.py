"""What the tool returns."""

from typing import Literal

from bms_schema.run.envelope import MaybeFloat, ToolData

Method = Literal["classifier", "baseline", "indicators"]
Engine = Literal["pandas", "dask"]


class FailingCell(ToolData):
    """A cell on the alert list; a suspicious one where no risk is known."""

    cell: str
    string: str
    risk: MaybeFloat = None
    indicator_score: MaybeFloat = None
    expected: str = ""
    reasons: list[str]


class MethodMetrics(ToolData):
    """Out-of-fold figures of one method at the judged horizon; intervals draw whole strings or cells.

    `deaths` are those that could be announced, `alerts_resolved` the alerts whose outcome is known.
    """

    auroc: MaybeFloat = None
    auroc_lo95: MaybeFloat = None
    auroc_hi95: MaybeFloat = None
    average_precision: MaybeFloat = None
    balanced_accuracy: MaybeFloat = None
    brier: MaybeFloat = None
    brier_skill: MaybeFloat = None
    brier_skill_lo95: MaybeFloat = None
    brier_skill_hi95: MaybeFloat = None
    calibration_error: MaybeFloat = None
    calibration_slope: MaybeFloat = None
    alert_threshold: MaybeFloat = None
    event_recall: MaybeFloat = None
    event_recall_lo95: MaybeFloat = None
    event_recall_hi95: MaybeFloat = None
    event_precision: MaybeFloat = None
    event_precision_lo95: MaybeFloat = None
    event_precision_hi95: MaybeFloat = None
    deaths: int = 0
    deaths_caught: int = 0
    alerts: int
    alerts_resolved: int = 0
    alerts_right: int = 0
    alerts_per_week: MaybeFloat = None
    lead_days_median: MaybeFloat = None
    lead_days_p10: MaybeFloat = None


class FailureMetrics(ToolData):
    """Out-of-fold evidence for the method used, both baselines beside it; evidence.json holds all horizons.

    `classifier_lead` is its AUROC and `classifier_skill_lead` its Brier skill over the better baseline's.
    """

    split: str
    judged_days: int
    deaths: int
    cell_days: int
    positive_cell_days: int
    base_rate_brier: MaybeFloat = None
    chosen: str
    classifier_lead: MaybeFloat = None
    classifier_lead_lo95: MaybeFloat = None
    classifier_lead_hi95: MaybeFloat = None
    classifier_skill_lead: MaybeFloat = None
    classifier_skill_lead_lo95: MaybeFloat = None
    classifier_skill_lead_hi95: MaybeFloat = None
    methods: dict[str, MethodMetrics]


class FailureData(ToolData):
    """Cells ranked by how likely they die.

    `alerts_per_week` is the budget of alerts and `deaths_per_week` what the fleet that taught the model lost,
    both per 1,000 cells: where it lost more, the budget cannot name all.
    """

    risk_csv: str
    method: Method
    engine: Engine = "pandas"
    horizon_days: int
    effective_horizon_days: int | None = None
    horizons: list[int] = []
    alerts_per_week: float
    deaths_per_week: MaybeFloat = None
    failing_cells: list[FailingCell]
    failing_total: int
    truncated: bool
    dead_cells: list[str]
    dead_total: int
    cells: int
    in_words: list[str] = []
    metrics: FailureMetrics | None = None
    model_version: str | None = None
    report_html: str
    evidence_json: str | None = None
    plot_png: str
    notes: list[str]
