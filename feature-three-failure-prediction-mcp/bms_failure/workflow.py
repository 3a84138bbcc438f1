"""`predict_cell_failure` step by step: read, train or load, rank, publish."""

from bms_schema.data.chemistry import ChemistryOption
from bms_schema.run.envelope import Outcome
from bms_schema.run.run_folder import Run
from bms_schema.run.tables import TableFormat
from bms_schema.run.workspace import readable_path

from bms_failure.alerts import ALERTS_PER_WEEK
from bms_failure.answers import Question, find_answer
from bms_failure.publish import publish
from bms_failure.results import FailureData
from bms_failure.scoring import rank_by_model, rank_without_labels
from bms_failure.whole_file import watched_file

_STEPS = 10


def predict_failure(
    run: Run,
    *,
    data_path: str,
    horizon_days: int,
    model: str,
    seed: int,
    chemistry: ChemistryOption,
    output_format: TableFormat,
    alerts_per_week: float = ALERTS_PER_WEEK,
) -> Outcome[FailureData]:
    """Read, train or load, rank, write; see the tool for the arguments.

    Raises:
        InputError: unreadable data, a missing column, or too few cells to compare.
        ModelError: the model asked for is missing or does not fit.
    """
    question = Question(horizon_days, model, alerts_per_week, seed)
    path = readable_path(data_path)
    run.seed = seed
    run.progress(0, _STEPS, "reading")

    def watching(share: float, words: str) -> None:
        run.progress(3 * share, _STEPS, words)

    def training(share: float, words: str) -> None:
        run.progress(3 + 4 * share, _STEPS, words)

    with watched_file(run, path, chemistry=chemistry, tell=watching) as (watched, fit):
        run.add_input(path)
        answer = find_answer(watched, question, training, fit)
    run.progress(8, _STEPS, "ranking the living cells")
    ranking = (
        rank_without_labels(watched.living)
        if answer.model is None
        else rank_by_model(watched.living, answer.model, asked_days=horizon_days, threshold=answer.threshold)
    )
    run.progress(9, _STEPS, "drawing")
    return publish(run, watched, question, answer, ranking, output_format)
