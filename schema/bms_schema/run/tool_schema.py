"""What the model reads of a tool: lean JSON schemas, and refused arguments in plain words."""

from collections.abc import Callable
from typing import Any

from pydantic import ValidationError


def word_refusal(tool: str, error: ValidationError, known: list[str]) -> str:
    """Word pydantic's findings as found, expected, what to do."""
    lines = []
    for item in error.errors(include_url=False):
        name = ".".join(str(part) for part in item["loc"])
        if item["type"] == "extra_forbidden":
            takes = f": {', '.join(known)}" if known else " no arguments"
            lines.append(f"'{name}' is not an argument of {tool}; it takes{takes}")
        elif item["type"] == "missing":
            lines.append(f"the required argument '{name}' is missing")
        else:
            rule = item["msg"][:1].lower() + item["msg"][1:]
            lines.append(f"{name} is {str(item['input'])[:80]!r}; {rule}")
    return f"{tool} was not run: {'; '.join(lines)}. Correct the arguments and call again."


def input_schema(schema: Any) -> Any:
    """Drop generated titles: they cost the model tokens and tell it nothing."""
    return _pruned(schema, lambda key, value: key == "title")


def output_schema(schema: Any) -> Any:
    """Drop titles, class docstrings, null defaults and closed-model marks of a result's schema."""
    noise = {"title", "description", "additionalProperties"}
    return _pruned(
        schema,
        lambda key, value: (
            (key in noise and not isinstance(value, dict)) or (key == "default" and value is None)
        ),
    )


def _pruned(schema: Any, is_noise: Callable[[str, Any], bool], names: bool = False) -> Any:
    """Copy a JSON schema without the keywords that are noise; property names are never keywords."""
    if isinstance(schema, list):
        return [_pruned(item, is_noise) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _pruned(value, is_noise, names=key in {"properties", "$defs"} and not names)
        for key, value in schema.items()
        if names or not is_noise(key, value)
    }
