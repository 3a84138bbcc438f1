"""All input and output of `predict_cell_failure`."""

from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import numpy as np
import pandas as pd
from bms_schema.data.chemistry import ChemistryOption
from bms_schema.data.columns import CELL_ID, IS_DEAD, SENSOR_NAMES, STRING, TIMESTAMP
from bms_schema.data.table import BatteryTable, load_battery_table
from bms_schema.run.envelope import Outcome
from bms_schema.run.errors import NotEnoughData
from bms_schema.run.plot_theme import save_png
from bms_schema.run.run_folder import Run
from bms_schema.run.tables import TableFormat, write_table
from bms_schema.run.workspace import readable_path

from bms_failure.folds import fold_groups
from bms_failure.labels import Lives, choose_horizon
from bms_failure.model import FailureModel, Training, train
from bms_failure.moments import is_daily, require_history
from bms_failure.plots import (
    draw_deviation,
    draw_ranking,
    draw_reliability,
    prepare_deviation,
    prepare_ranking,
    prepare_reliability,
)
from bms_failure.report import write_report
from bms_failure.results import FailingCell, FailureData, Method
from bms_failure.scoring import Ranking, rank_by_model, rank_without_labels
from bms_failure.storage import load_model, newest_fitting_model, save_model
from bms_failure.watch import Watched, watch
from bms_failure.wording import say_model, sum_up, tell, why_no_training

MOST_DEAD, MOST_NOTES = 20, 12
MOST_FAILING_CHARACTERS = 3_500  # some 8 cells with their reasons; the whole reply stays below 8,000
_STEPS = 10


@dataclass(frozen=True)
class Answer:
    """Who answers: a model (trained here or stored) or the indicators, and why."""

    model: FailureModel | None
    training: Training | None
    version: str | None
    why: str

    @property
    def method(self) -> Method:
        """The method as the contract names it."""
        if self.model is None:
            return "indicators"
        return "classifier" if self.model.method == "classifier" else "baseline"


def predict_failure(
    run: Run,
    *,
    data_path: str,
    horizon_days: int,
    model: str,
    seed: int,
    chemistry: ChemistryOption,
    output_format: TableFormat,
) -> Outcome[FailureData]:
    """Read, train or load, rank, write; see the tool for the arguments.

    Raises:
        InputError: unreadable data, a missing column, or too few cells to compare.
        ModelError: the model asked for is missing or does not fit.
    """
    path = readable_path(data_path)
    run.seed = seed
    run.progress(0, _STEPS, "reading")
    table = load_battery_table(path, require=(*SENSOR_NAMES, CELL_ID, TIMESTAMP), chemistry=chemistry)
    run.add_input(path)
    run.progress(2, _STEPS, "building features")
    watched = watch(table)
    answer = _find_answer(run, table, watched, horizon_days, model, seed)
    run.progress(8, _STEPS, "ranking the living cells")
    living = watched.living
    ranking = rank_without_labels(living) if answer.model is None else rank_by_model(living, answer.model)
    return _publish(run, table, watched, answer, ranking, horizon_days, output_format)


def _find_answer(
    run: Run, table: BatteryTable, watched: Watched, asked: int, wanted: str, seed: int
) -> Answer:
    """Train where labels allow and no version is named; else load; else leave it to the indicators."""
    name = table.chemistry.profile.name
    if wanted:
        require_history(watched.living)
        model, meta = load_model(wanted, measured=table.measured, chemistry=name)
        return Answer(model, None, meta.version, say_model(meta))
    moments, lives = watched.moments, watched.lives
    daily = moments[is_daily(moments)].reset_index(drop=True)
    groups, kind = fold_groups(daily[STRING].to_numpy(), daily[CELL_ID].to_numpy())
    horizon = choose_horizon(daily, groups, lives, asked) if IS_DEAD in table.frame else None
    if horizon is not None:
        return _train(run, table, daily, groups, kind, lives, horizon, seed)
    reason = why_no_training(table.frame.get(IS_DEAD), lives)
    try:
        require_history(watched.living)
    except NotEnoughData as short:
        return Answer(None, None, None, f"{reason} {short.found}")
    stored = newest_fitting_model(measured=table.measured, chemistry=name)
    if stored is not None:
        model, meta = stored
        return Answer(model, None, meta.version, f"{reason} {say_model(meta)}")
    return Answer(None, None, None, f"{reason} No stored model fits.")


def _train(
    run: Run,
    table: BatteryTable,
    daily: pd.DataFrame,
    groups: np.ndarray,
    kind: str,
    lives: Lives,
    horizon: int,
    seed: int,
) -> Answer:
    def report(done: int, total: int) -> None:
        run.progress(3 + 4 * done / total, _STEPS, f"training, fold {done + 1} of {total}")

    training = train(daily, groups, lives, horizon, table.chemistry.profile.name, seed, report)
    run.split = (
        f"out of fold on {len(training.moments)} cell-days, {training.folds} folds by {kind.lower()}, none "
        "split in time; days at and after a death dropped, days whose fate is unknown left out; the method and "
        "its alert threshold were chosen on these same figures, which flatters them a little"
    )
    run.metrics = tell(training, run.split).model_dump(mode="json")
    return Answer(training.model, training, None, "Trained on this data's IsDead labels.")


def _store(run: Run, table: BatteryTable, training: Training) -> str:
    """Store a model trained here; done last, so that a call that is cancelled or fails leaves none."""
    return save_model(
        training.model,
        measured=[column for column in SENSOR_NAMES if column in table.measured],
        split=run.split or "",
        metrics=run.metrics,
        training_run=run.id,
        trained_on=f"{table.frame[CELL_ID].nunique()} cells of {', '.join(Path(name).name for name in run.inputs)}",
    )


def _publish(
    run: Run,
    table: BatteryTable,
    watched: Watched,
    answer: Answer,
    ranking: Ranking,
    asked: int,
    output_format: TableFormat,
) -> Outcome[FailureData]:
    risk_name = f"risk.{output_format}"
    horizon = answer.model.horizon_days if answer.model else None
    dead = watched.lives.dead_at_end
    write_table(ranking.table.assign(horizon_days=horizon), run.path(risk_name))
    pictures = _draw(run, watched.moments, answer, ranking)
    failing = [
        FailingCell(
            cell=row[CELL_ID], string=row[STRING], risk=row["risk"], indicator_score=row["indicator_score"],
            reasons=reasons,
        )
        for row, reasons in zip(ranking.table.to_dict("records"), ranking.reasons, strict=True)
        if row["failing"]
    ]  # fmt: skip
    data = FailureData(
        risk_csv=run.published(risk_name),
        method=answer.method,
        horizon_days=asked,
        effective_horizon_days=horizon,
        failing_cells=(shown := worst_that_fit(failing)),
        failing_total=len(failing),
        truncated=len(failing) > len(shown) or len(dead) > MOST_DEAD,
        dead_cells=dead[:MOST_DEAD],
        dead_total=len(dead),
        cells=int(table.frame[CELL_ID].nunique()),
        metrics=tell(answer.training, run.split or "") if answer.training else None,
        model_version=_store(run, table, answer.training) if answer.training else answer.version,
        notes=table.notes[:MOST_NOTES],
        report_html=run.published("report.html"),
        plot_png=run.published(pictures[0].name),
    )
    message = sum_up(data, answer.why, answer.model, watched.moments)
    write_report(
        run.path("report.html"), message=message, data=data, table=ranking.table, dead=dead,
        pictures=pictures, notes=table.notes,
    )  # fmt: skip
    return Outcome(message, data, ("report.html", risk_name, pictures[0].name))


def worst_that_fit(failing: list[FailingCell]) -> list[FailingCell]:
    """Return the first cells, as many as a reply has room for; `risk_csv` holds them all."""
    sizes = accumulate(len(cell.model_dump_json()) for cell in failing)
    return [cell for cell, size in zip(failing, sizes, strict=True) if size <= MOST_FAILING_CHARACTERS]


def _draw(run: Run, moments: pd.DataFrame, answer: Answer, ranking: Ranking) -> list[Path]:
    """Draw what there is to see; the first picture is the one the result names."""
    run.progress(9, _STEPS, "drawing")
    pictures = []
    horizon = answer.model.horizon_days if answer.model else None
    if answer.training is not None and horizon is not None:
        evidence, chosen = answer.training.evidence, answer.training.model.method
        cells = answer.training.moments[CELL_ID].to_numpy()
        reliability = prepare_reliability(evidence.labels, evidence.methods[chosen].risk, cells)
        figure = draw_reliability(reliability, method=chosen.replace("_", " "), horizon_days=horizon)
        pictures.append(save_png(figure, run.path("reliability.png")))
    bars, column = prepare_ranking(ranking.table)
    pictures.append(
        save_png(draw_ranking(bars, column=column, horizon_days=horizon), run.path("ranking.png"))
    )
    lines, band = prepare_deviation(moments, ranking.table[CELL_ID].tolist())
    if len(band) > 1:  # less than two days are no course
        pictures.append(save_png(draw_deviation(lines, band), run.path("deviation.png")))
    return pictures
