"""The result every tool of every server returns."""

from dataclasses import dataclass
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict


def finite_or_none(value: Any) -> Any:
    """Map NaN and ±inf to None: JSON has no word for them and strict clients refuse the call."""
    if hasattr(value, "item"):  # numpy scalars
        value = value.item()
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    return value


MaybeFloat = Annotated[float | None, BeforeValidator(finite_or_none)]
"""A number that may be unknown; NaN and ±inf become None."""


class ToolData(BaseModel):
    """Base of every tool's `data`: unknown fields are a bug, NaN never leaves."""

    model_config = ConfigDict(extra="forbid", ser_json_inf_nan="null", allow_inf_nan=False)


DataT = TypeVar("DataT")


class Envelope(BaseModel, Generic[DataT]):
    """`status`, a sentence for people, the typed result, and where the log lies."""

    status: Literal["success", "error"]
    message: str
    data: DataT | None = None
    log_path: str | None = None


class RunStarted(ToolData):
    """What a call with `background=true` returns at once."""

    run_id: str


@dataclass(frozen=True)
class Outcome(Generic[DataT]):
    """What a workflow hands back: the sentence and the typed result.

    Args:
        message: One or two sentences with the main figures, for a person or a model.
        data: The tool's typed result; paths in it are the published, absolute ones.
        links: File names in the run folder to offer as resource links, most useful first.
        log_path: The log to name, for a tool that has no run of its own.
    """

    message: str
    data: DataT
    links: tuple[str, ...] = ()
    log_path: str | None = None
