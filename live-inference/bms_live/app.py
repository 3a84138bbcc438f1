"""The HTTP service: routes, and what each calls."""

from functools import partial
from importlib.metadata import version
from typing import Any

from bms_schema.run.envelope import Envelope
from bms_schema.run.health import Health, check_health
from fastapi import FastAPI, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from bms_live import anomaly, failure, forecast
from bms_live.body_limit import MAX_BODY_BYTES, BodyLimit
from bms_live.catalogue import stored_models
from bms_live.handlers import install_handlers
from bms_live.page import reference_page
from bms_live.requests import AnomalyRequest, FailureRequest, ForecastRequest
from bms_live.results import AnomalyData, FailureData, ForecastData, ModelsData
from bms_live.worker import MOST_WAITING, Worker

NAME = "bms-live"
LIBRARIES = ("fastapi", "uvicorn", "numpy", "pandas", "scikit-learn", "torch", "xgboost")
MODELS = (anomaly.MODEL, forecast.MODEL, failure.MODEL)
DESCRIPTION = (
    "The latest BMS-Flux models on live readings: which readings are odd, what a cell will do next, which cells "
    "are likely to die. "
    'Every answer, errors too, is {"status", "message", "data", "log_path"}; log_path is always null here.'
)
_ERROR = {"model": Envelope[None]}
_REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {**_ERROR, "description": "No JSON, or an option out of its range"},
    404: {**_ERROR, "description": "No such model version"},
    409: {**_ERROR, "description": "The stored model is damaged or does not fit these readings"},
    413: {**_ERROR, "description": "The body is too large"},
    422: {**_ERROR, "description": "The readings cannot be used; the message says why"},
    500: {**_ERROR, "description": "Unexpected failure"},
    503: {**_ERROR, "description": "No model is trained yet, or too many requests wait"},
}


def create_app(*, max_body_bytes: int = MAX_BODY_BYTES, most_waiting: int = MOST_WAITING) -> FastAPI:
    """Build the service; loads no model and none of the heavy libraries.

    Args:
        max_body_bytes: Largest request body.
        most_waiting: Predictions that may wait for the one that runs.
    """
    app = FastAPI(
        title="BMS-Flux live inference",
        version=version(NAME),
        description=DESCRIPTION,
        docs_url=None,  # the usual pages load their scripts from the internet
        redoc_url=None,
    )
    app.add_middleware(BodyLimit, limit=max_body_bytes)
    install_handlers(app)
    _add_predictions(app, Worker(most_waiting))
    _add_state(app)
    _add_pages(app)
    return app


def _add_predictions(app: FastAPI, worker: Worker) -> None:
    @app.post("/predict/anomaly", response_model=Envelope[AnomalyData], responses=_REFUSALS)
    async def predict_anomaly(request: AnomalyRequest) -> Response:
        """Score readings: how oddly does each behave against its string and its own past?"""
        return await worker.answer(partial(anomaly.predict, request))

    @app.post("/predict/failure", response_model=Envelope[FailureData], responses=_REFUSALS)
    async def predict_failure(request: FailureRequest) -> Response:
        """Rank cells by how likely they are to die. Send the history of whole strings."""
        return await worker.answer(partial(failure.predict, request))

    @app.post("/predict/forecast", response_model=Envelope[ForecastData], responses=_REFUSALS)
    async def predict_forecast(request: ForecastRequest) -> Response:
        """Forecast what one cell will do next, with 90 % intervals."""
        return await worker.answer(partial(forecast.predict, request))


def _add_state(app: FastAPI) -> None:
    @app.get("/health")
    async def health() -> Envelope[Health]:
        """State of the service: version, endpoints, workspace, libraries, latest models."""
        endpoints = list(app.openapi()["paths"])
        outcome = check_health(NAME, app.version, endpoints, LIBRARIES, MODELS)
        return Envelope[Health](status="success", message=outcome.message, data=outcome.data)

    @app.get("/models")
    async def models() -> Envelope[ModelsData]:
        """Every stored model with its versions: when, on which columns, how it was split, its metrics."""
        outcome = stored_models()
        return Envelope[ModelsData](status="success", message=outcome.message, data=outcome.data)


def _add_pages(app: FastAPI) -> None:
    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(reference_page(app.openapi()))

    @app.get("/", include_in_schema=False)
    async def home() -> RedirectResponse:
        return RedirectResponse("/docs")
