"""The typed `data` of each tool."""

from typing import Literal

from bms_schema.run.envelope import MaybeFloat, ToolData


class Generated(ToolData):
    """Result of `sdv_generate`."""

    folder_name: str
    synthetic_folder: str
    tables: dict[str, int]
    method: dict[str, str]
    notes: list[str] = []


class WeakSpot(ToolData):
    """A column, pair or relationship with a low score."""

    what: str
    score: float


class Memory(ToolData):
    """Lag-1 autocorrelation of one column, mean over cells."""

    column: str
    real: MaybeFloat = None
    synthetic: MaybeFloat = None


class Judgement(ToolData):
    """The answer to a question, its reasons with their figures, the gravest first."""

    answer: Literal["yes", "with care", "no"]
    reasons: list[str]


class TableFigures(ToolData):
    """The main figures of one table, synthetic against real; None where they do not apply.

    `two_sample_auroc` is 0.5 where trees cannot tell synthetic from real; `trained_on_…` are models tested on the
    same held-out real records; `…_by_chance` is what real records do to those of other strings; `lag1_error` and
    `between_cells_ratio` are a mean and a median over signals.
    """

    two_sample_auroc: MaybeFloat = None
    learnt: str
    trained_on_real: MaybeFloat = None
    trained_on_synthetic: MaybeFloat = None
    copied_rows: MaybeFloat = None
    copied_rows_by_chance: MaybeFloat = None
    near_rows: MaybeFloat = None
    near_rows_by_chance: MaybeFloat = None
    label_rate_real: MaybeFloat = None
    label_rate_synthetic: MaybeFloat = None
    lag1_error: MaybeFloat = None
    between_cells_ratio: MaybeFloat = None
    regular_steps: MaybeFloat = None


class Evaluated(ToolData):
    """Result of `sdv_evaluate`; SDV's scores are 0 to 1, higher is better."""

    folder_name: str
    share: Judgement
    train: Judgement
    overall_score: MaybeFloat = None
    overall_all_pairs: MaybeFloat = None
    properties: dict[str, MaybeFloat]
    column_scores: dict[str, MaybeFloat]
    weakest: list[WeakSpot]
    lag1: list[Memory]
    tables: dict[str, TableFigures]
    scores_csv: str
    report_html: str
    report_json: str


class Visualized(ToolData):
    """Result of `sdv_visualize`."""

    kind: str
    plot_png: str
    cells_png: str | None = None
    plot_html: str


class Simulated(ToolData):
    """Result of `simulate_battery_fleet`; `csv` is a folder with a file per string where the fleet is big."""

    csv: str
    truth_csv: str
    cells_csv: str
    rows: int
    cells: int
    strings: int
    dead_cells: int
    dying_cells: int
    fates: dict[str, int]
