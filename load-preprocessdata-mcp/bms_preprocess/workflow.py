"""What each tool does from path to run folder: read, call the pure steps, write, say what happened."""

from pathlib import Path

import pandas as pd
from bms_schema.data.chemistry import ChemistryOption
from bms_schema.data.cleaning import IMPUTED
from bms_schema.data.columns import PREPROCESS_REQUIRED, VOLTAGE
from bms_schema.data.features import add_features, available_columns, feature_names
from bms_schema.data.intake import take_in
from bms_schema.data.reading import DEFAULT_CHUNKSIZE, read_table
from bms_schema.data.table import BatteryTable
from bms_schema.run.envelope import Outcome
from bms_schema.run.errors import MachineProblem, ModelError
from bms_schema.run.run_folder import Run
from bms_schema.run.tables import TableFormat, write_table
from bms_schema.run.wording import counted
from bms_schema.run.workspace import readable_path

from bms_preprocess.findings import find
from bms_preprocess.imputation import fit_imputer_on, impute
from bms_preprocess.imputation_check import CHECK_SPLIT, STORED_SPLIT
from bms_preprocess.preprocessing import STEPS
from bms_preprocess.quality import count_flagged, count_masked
from bms_preprocess.report_files import write_report
from bms_preprocess.results import PreprocessData, ScaledData, StepData
from bms_preprocess.scaling import SCALED_SUFFIX, fit_scaler_on, numeric_columns, scale, with_numeric_features
from bms_preprocess.sdv_folder import FOLDER, write_sdv_folder
from bms_preprocess.stages import judged_before, without_suspects
from bms_preprocess.stored import load_scaler, save_fitted, save_scaler, scaled_with
from bms_preprocess.summary import Summary
from bms_preprocess.unscaling import unscale
from bms_preprocess.whole_table import preprocessed_file, rows_in_memory

MOST_TEXTS = 8
LONGEST_TEXT = 400
REPORT_STEPS = 2


def run_all(
    run: Run,
    data_path: str,
    chunksize: int,
    chemistry: ChemistryOption,
    output_format: TableFormat,
    model_version: str,
) -> Outcome[PreprocessData]:
    """Run the chain, write its tables, report, pictures and SDV folder, and store what was fitted."""
    path = _input(run, data_path)
    total = STEPS + REPORT_STEPS
    with preprocessed_file(
        run,
        path,
        chunksize=chunksize,
        chemistry=chemistry,
        output_format=output_format,
        model_version=model_version,
        steps=total,
    ) as summary:
        run.progress(STEPS, total, "writing the report")
        write_report(summary, path.name, run.folder)
        sdv_rows = write_sdv_folder(summary.sdv, summary.limits, run.path(FOLDER))
    run.progress(STEPS + 1, total, "storing imputer and scaler")
    run.split = STORED_SPLIT if summary.fitted.version else CHECK_SPLIT
    run.metrics = summary.report["imputation_check"]
    version = summary.fitted.version or save_fitted(
        summary.fitted, summary.checks, rows=summary.rows, training_run=run.id
    )
    data = _result(run, summary, output_format, version)
    message = (
        f"{counted(data.rows_out, 'row')} of {counted(data.cells, 'cell')} in {counted(data.strings, 'string')} "
        f"({data.chemistry}): "
        f"{data.readings_masked:,} readings masked, {data.readings_blank:,} blank; {data.readings_imputed:,} "
        f"filled in the imputed table{_error_of_voltage(summary)}. Use cleaned_csv for the next servers; "
        f"report_html says what to look at.{_cut_for_sdv(sdv_rows, data.rows_out)}"
    )
    return Outcome(message, data, ("report.html", "report.json", f"cleaned.{output_format}"))


def run_clean(
    run: Run, data_path: str, chunksize: int, chemistry: ChemistryOption, output_format: TableFormat
) -> Outcome[StepData]:
    """Write the cleaned table."""
    table = _table(run, data_path, chunksize, chemistry)
    masked = count_masked(table.frame)
    message = (
        f"{len(table.frame):,} rows cleaned, none dropped; {masked:,} values masked that are no readings."
    )
    return _step(run, table.frame, f"cleaned.{output_format}", masked, message, table.notes)


def run_engineer(run: Run, csv_path: str, output_format: TableFormat) -> Outcome[StepData]:
    """Write the table with features."""
    table = _table(run, csv_path)
    run.progress(1, 3, "engineering features")
    featured = add_features(table.frame)
    imputed = count_flagged(table.frame, IMPUTED)
    notes = [
        *table.notes,
        *([f"{imputed:,} readings were imputed before; features use them"] if imputed else []),
    ]
    added = len(feature_names(available_columns(table.frame)))
    message = f"{added} features added to {len(featured):,} rows."
    return _step(run, featured, f"features.{output_format}", added, message, notes)


def run_impute(run: Run, csv_path: str, output_format: TableFormat) -> Outcome[StepData]:
    """Write the table with missing readings filled."""
    table = _table(run, csv_path)
    run.progress(1, 3, "filling missing readings")
    filled, counts = impute(table.frame, fit_imputer_on(table.frame, table.limits))
    changed = sum(counts.values())
    each = ", ".join(f"{name} {count:,}" for name, count in counts.items() if count)
    message = f"{changed:,} missing readings filled and flagged 'imputed'" + (f" ({each})." if each else ".")
    return _step(run, filled, f"imputed.{output_format}", changed, message, table.notes)


def run_scale(run: Run, csv_path: str, output_format: TableFormat, model_version: str) -> Outcome[ScaledData]:
    """Write the scaled table, by a stored scaler or by one that is fitted on it and stored."""
    table = _table(run, csv_path)
    run.progress(1, 3, "scaling")
    frame = with_numeric_features(table.frame)
    if model_version:
        scaler, version = load_scaler(model_version)
        _check_known(scaler.columns, list(frame), version)
    else:
        scaler = fit_scaler_on(frame)
        version = save_scaler(scaler, rows=len(frame), training_run=run.id)
    scaled, leftovers = scale(frame, scaler)
    width = len(scaler.columns)
    empty = [name for name in numeric_columns(frame) if name not in scaler.columns]
    notes = [*table.notes, *([f"without a value, so not scaled: {', '.join(empty)}"] if empty else [])]
    message = (
        f"{width} columns of {len(scaled):,} rows scaled into '<name>_scaled'; {leftovers:,} gaps took the "
        "column's mean."
    )
    done = _step(run, scaled, f"scaled.{output_format}", len(scaled) * width, message, notes)
    return Outcome(done.message, ScaledData(**done.data.model_dump(), model_version=version), done.links)


def run_unscale(
    run: Run, csv_path: str, output_format: TableFormat, model_version: str
) -> Outcome[ScaledData]:
    """Write a scaled table in physical units."""
    path = _input(run, csv_path)
    run.progress(0, 3, "reading")
    raw = read_table(path, layout="as_is").frame
    scaler, version = load_scaler(model_version or scaled_with(path))
    run.progress(1, 3, "scaling back")
    frame, filled = unscale(raw, scaler)
    scaled = sum(str(name).endswith(SCALED_SUFFIX) for name in raw)
    message = (
        f"{scaled} columns of {len(frame):,} rows in physical units again, by version {version}; {filled:,} values "
        "are column means that filled a gap, named in 'mean_filled'."
    )
    done = _step(run, frame, f"unscaled.{output_format}", len(frame) * scaled, message, [])
    return Outcome(done.message, ScaledData(**done.data.model_dump(), model_version=version), done.links)


def _input(run: Run, given: str) -> Path:
    path = readable_path(given)
    run.add_input(path)
    return path


def _table(
    run: Run, given: str, chunksize: int = DEFAULT_CHUNKSIZE, chemistry: ChemistryOption = "auto"
) -> BatteryTable:
    """Return the cleaned table, which must fit into memory."""
    path = _input(run, given)
    most = rows_in_memory()

    def seen(rows: int) -> None:
        run.progress(0, 3, f"{rows:,} rows looked at")
        if rows > most:
            raise MachineProblem(
                f"The table has more than {most:,} rows, too many to work on in memory.",
                expected="a table that fits into half the machine's memory, or into BMS_MEMORY_BUDGET",
                fix="Call preprocess_battery_data_tool, which takes any size.",
            )

    intake = take_in(
        path,
        require=PREPROCESS_REQUIRED,
        chunksize=chunksize,
        chemistry=chemistry,
        most_rows=most,
        told=seen,
    )
    run.progress(0, 3, "cleaning")
    table = intake.table()
    frame = without_suspects(table.frame, judged=judged_before(intake.source.names))
    return BatteryTable(frame, table.chemistry, table.notes, table.corrections)


def _check_known(wanted: list[str], names: list[str], version: str) -> None:
    """Check that a table has what a stored scaler was fitted on."""
    if missing := [name for name in wanted if name not in names]:
        raise ModelError(
            f"The table lacks {', '.join(missing[:8])}{', …' if len(missing) > 8 else ''}.",
            expected=f"the columns that version '{version}' scales",
            fix="Engineer features first, or name no version.",
        )


def _step(
    run: Run, frame: pd.DataFrame, name: str, changed: int, message: str, notes: list[str]
) -> Outcome[StepData]:
    run.progress(2, 3, f"writing {name}")
    write_table(frame, run.path(name))
    for note in notes:
        run.log.info(note)
    shown, _ = _brief(notes)
    data = StepData(csv=run.published(name), rows=len(frame), changed=changed)
    return Outcome(message + (f" Notes: {'; '.join(shown)}." if shown else ""), data, (name,))


def _result(run: Run, summary: Summary, output_format: TableFormat, version: str) -> PreprocessData:
    report = summary.report
    notes, cut = _brief(summary.notes)
    look_at, cut_findings = _brief([f"{found.title}: {found.sentence}" for found in find(report)])
    counts = ("readings_masked", "readings_blank", "readings_imputed", "gaps", "duplicate_rows", "outliers")
    return PreprocessData(
        cleaned_csv=run.published(f"cleaned.{output_format}"),
        features_csv=run.published(f"features.{output_format}"),
        imputed_csv=run.published(f"imputed.{output_format}"),
        scaled_csv=run.published(f"scaled.{output_format}"),
        report_json=run.published("report.json"),
        report_html=run.published("report.html"),
        sdv_folder=run.published(FOLDER),
        engine=summary.engine,
        rows_in=summary.rows,
        rows_out=summary.rows,
        cells=report["cells"],
        strings=report["strings"],
        chemistry=summary.chemistry.profile.name,
        model_version=version,
        **{name: report[name] for name in counts},
        look_at=look_at,
        notes=notes,
        truncated=cut or cut_findings,
    )


def _error_of_voltage(summary: Summary) -> str:
    check = summary.checks.get(VOLTAGE)
    if check is None:
        return ""
    return f" (voltage on hidden readings: RMSE {check.rmse:.3g} V, the mean's {check.mean_rmse:.3g} V)"


def _cut_for_sdv(sdv_rows: int, rows: int) -> str:
    return f" sdv_folder holds {sdv_rows:,} of the rows, by whole cells." if sdv_rows < rows else ""


def _brief(texts: list[str]) -> tuple[list[str], bool]:
    """Return the first texts, each cut to a length that keeps a reply small, and whether any was cut."""
    shown = [
        text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…" for text in texts[:MOST_TEXTS]
    ]
    return shown, shown != texts
