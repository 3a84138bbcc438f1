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
    """An answer and its reasons, the gravest first."""

    answer: Literal["yes", "with care", "no"]
    reasons: list[str]


class Evaluated(ToolData):
    """Result of `sdv_evaluate`; `tables` has each table's main figures, those of real records named so.

    `tables`, `column_scores` (the weakest first) and `lag1` are cut; `in_report_only` says how many more of each
    `report_json` has.
    """

    folder_name: str
    share: Judgement
    train: Judgement
    overall_score: MaybeFloat = None
    overall_all_pairs: MaybeFloat = None
    overall_same_bins: MaybeFloat = None
    properties: dict[str, MaybeFloat]
    column_scores: dict[str, MaybeFloat]
    weakest: list[WeakSpot]
    lag1: list[Memory]
    in_report_only: dict[str, int] = {}
    tables: dict[str, dict[str, MaybeFloat]]
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
