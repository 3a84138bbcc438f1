"""The typed `data` of each tool."""

from bms_schema.run.envelope import MaybeFloat, ToolData


class Generated(ToolData):
    """Result of `sdv_generate`."""

    folder_name: str
    synthetic_folder: str
    tables: dict[str, int]
    method: str
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


class Evaluated(ToolData):
    """Result of `sdv_evaluate`; scores are 0 to 1, higher is better."""

    folder_name: str
    overall_score: MaybeFloat = None
    properties: dict[str, MaybeFloat]
    column_scores: dict[str, MaybeFloat]
    weakest: list[WeakSpot]
    lag1: list[Memory]
    scores_csv: str
    report_html: str
    report_json: str


class Visualized(ToolData):
    """Result of `sdv_visualize`."""

    plot_png: str
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
