"""What each tool does from path to run folder: read, call the pure steps, write, say what happened."""

import json
from pathlib import Path

import pandas as pd
from bms_schema.data.chemistry import ChemistryOption
from bms_schema.data.cleaning import IMPUTED
from bms_schema.data.columns import VOLTAGE
from bms_schema.data.features import add_features, feature_names
from bms_schema.data.reading import DEFAULT_CHUNKSIZE
from bms_schema.data.table import BatteryTable
from bms_schema.run.envelope import Outcome
from bms_schema.run.plot_theme import save_png
from bms_schema.run.run_folder import Run
from bms_schema.run.tables import TableFormat, write_table
from bms_schema.run.wording import counted
from bms_schema.run.workspace import readable_path

from bms_preprocess import plots
from bms_preprocess.findings import find
from bms_preprocess.imputation import fit_imputer, impute
from bms_preprocess.imputation_check import CHECK_SPLIT, STORED_SPLIT
from bms_preprocess.preprocessing import STEPS, Preprocessed, never_read, preprocess, read
from bms_preprocess.quality import count_flagged, count_masked
from bms_preprocess.quality_page import quality_page
from bms_preprocess.results import PreprocessData, StepData
from bms_preprocess.scaling import fit_scaler, numeric_columns, scale, with_numeric_features
from bms_preprocess.sdv_folder import FOLDER, write_sdv_folder
from bms_preprocess.stored import save_fitted

MOST_TEXTS = 8
LONGEST_TEXT = 400
WRITING_STEPS = 3


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
    total = STEPS + WRITING_STEPS

    def tell(done: int, _: int, message: str) -> None:
        run.progress(done, total, message)

    result = preprocess(
        path, chunksize=chunksize, chemistry=chemistry, fitted=model_version or None, report=tell
    )
    tell(STEPS, total, "writing tables")
    tables = {
        "cleaned": result.cleaned,
        "features": result.features,
        "imputed": result.imputed,
        "scaled": result.scaled,
    }
    names = {}
    for name, frame in tables.items():
        names[name] = f"{name}.{output_format}"
        write_table(frame, run.path(names[name]))
        tell(STEPS, total, f"{names[name]} written")
    tell(STEPS + 1, total, "writing the report")
    _write_report(run, result, path.name)
    limits = result.table.limits
    sdv_rows = write_sdv_folder(result.cleaned, limits, run.path(FOLDER))
    tell(STEPS + 2, total, "storing imputer and scaler")
    run.split = STORED_SPLIT if result.fitted.version else CHECK_SPLIT
    run.metrics = result.report["imputation_check"]
    version = result.fitted.version or save_fitted(
        result.fitted, result.checks, rows=len(result.cleaned), training_run=run.id
    )
    data = _result(run, result, names, version)
    message = (
        f"{counted(data.rows_out, 'row')} of {counted(data.cells, 'cell')} in {counted(data.strings, 'string')} "
        f"({data.chemistry}): "
        f"{data.readings_masked:,} readings masked, {data.readings_blank:,} blank; {data.readings_imputed:,} "
        f"filled in the imputed table{_error_of_voltage(result)}. Use cleaned_csv for the next servers; "
        f"report_html says what to look at.{_cut_for_sdv(sdv_rows, data.rows_out)}"
    )
    return Outcome(message, data, ("report.html", "quality.png", names["cleaned"], "report.json"))


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
    added = len(feature_names())
    message = f"{added} features added to {len(featured):,} rows."
    return _step(run, featured, f"features.{output_format}", added, message, notes)


def run_impute(run: Run, csv_path: str, output_format: TableFormat) -> Outcome[StepData]:
    """Write the table with missing readings filled."""
    table = _table(run, csv_path)
    run.progress(1, 3, "filling missing readings")
    filled, counts = impute(table.frame, fit_imputer(table.frame, table.limits))
    changed = sum(counts.values())
    unfilled = never_read(filled)
    notes = [*table.notes, *([unfilled] if unfilled else [])]
    each = ", ".join(f"{name} {count:,}" for name, count in counts.items() if count)
    message = f"{changed:,} missing readings filled and flagged 'imputed'" + (f" ({each})." if each else ".")
    return _step(run, filled, f"imputed.{output_format}", changed, message, notes)


def run_scale(run: Run, csv_path: str, output_format: TableFormat) -> Outcome[StepData]:
    """Write the scaled table."""
    table = _table(run, csv_path)
    run.progress(1, 3, "scaling")
    frame = with_numeric_features(table.frame)
    scaler = fit_scaler(frame)
    scaled, leftovers = scale(frame, scaler)
    width = len(scaler.columns)
    empty = [name for name in numeric_columns(frame) if name not in scaler.columns]
    notes = [*table.notes, *([f"without a value, so not scaled: {', '.join(empty)}"] if empty else [])]
    message = (
        f"{width} columns of {len(scaled):,} rows scaled into '<name>_scaled'; {leftovers:,} gaps took the "
        "column's mean."
    )
    return _step(run, scaled, f"scaled.{output_format}", len(scaled) * width, message, notes)


def _input(run: Run, given: str) -> Path:
    path = readable_path(given)
    run.add_input(path)
    return path


def _table(
    run: Run, given: str, chunksize: int = DEFAULT_CHUNKSIZE, chemistry: ChemistryOption = "auto"
) -> BatteryTable:
    path = _input(run, given)
    run.progress(0, 3, "reading and cleaning")
    return read(path, chunksize=chunksize, chemistry=chemistry)


def _step(
    run: Run, frame: pd.DataFrame, name: str, changed: int, message: str, notes: list[str]
) -> Outcome[StepData]:
    run.progress(2, 3, f"writing {name}")
    write_table(frame, run.path(name))
    for note in notes:
        run.log.info(note)
    shown, _ = _brief(notes)
    data = StepData(csv=run.published(name), rows=len(frame), changed=changed)
    return Outcome(f"{message} Notes: {'; '.join(shown)}.", data, (name,))


def _write_report(run: Run, result: Preprocessed, source: str) -> None:
    """Write `report.json`, the two pictures and the page that shows them."""
    report = result.report
    text = json.dumps(report, indent=2, ensure_ascii=False, allow_nan=False)
    run.path("report.json").write_text(text, encoding="utf-8")
    shares, reasons = plots.prepare_missing(report), plots.prepare_reasons(report)
    quality = save_png(plots.draw_quality(shares, reasons, report["cells"]), run.path("quality.png"))
    bands = plots.prepare_voltage(result.cleaned)
    figure = plots.draw_voltage(bands, report["strings"], report["float_window"])
    voltage = save_png(figure, run.path("voltage.png"))
    pictures = [
        ("Share of missing readings per cell and column, and the reasons.", quality),
        ("Voltage of each string over time, cleaned, not imputed.", voltage),
    ]
    run.path("report.html").write_text(quality_page(report, source, pictures), encoding="utf-8")


def _result(run: Run, result: Preprocessed, names: dict[str, str], version: str) -> PreprocessData:
    report = result.report
    notes, cut = _brief(result.notes)
    look_at, cut_findings = _brief([f"{title}: {sentence}" for title, sentence in find(report)])
    counts = ("readings_masked", "readings_blank", "readings_imputed", "gaps", "duplicate_rows", "outliers")
    return PreprocessData(
        cleaned_csv=run.published(names["cleaned"]),
        features_csv=run.published(names["features"]),
        imputed_csv=run.published(names["imputed"]),
        scaled_csv=run.published(names["scaled"]),
        report_json=run.published("report.json"),
        report_html=run.published("report.html"),
        sdv_folder=run.published(FOLDER),
        rows_in=report["rows"],
        rows_out=len(result.scaled),
        cells=report["cells"],
        strings=report["strings"],
        chemistry=result.table.chemistry.profile.name,
        model_version=version,
        **{name: report[name] for name in counts},
        look_at=look_at,
        notes=notes,
        truncated=cut or cut_findings,
    )


def _error_of_voltage(result: Preprocessed) -> str:
    check = result.checks.get(VOLTAGE)
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
