"""What the model reads of a tool: lean JSON schemas, and refused arguments in plain words."""

from collections.abc import Callable, Iterable
from typing import Any

from pydantic import ValidationError


def word_refusal(tool: str, error: ValidationError, properties: dict[str, Any]) -> str:
    """Word pydantic's findings as found, expected, what to do.

    Args:
        tool: The tool that was called.
        error: What pydantic found.
        properties: JSON schemas of the tool's arguments by name.
    """
    findings: dict[str, list[Any]] = {}
    for item in error.errors(include_url=False):
        findings.setdefault(str(item["loc"][0]), []).append(item)
    lines = []
    for name, items in findings.items():
        if items[0]["type"] == "extra_forbidden":
            takes = f": {', '.join(properties)}" if properties else " no arguments"
            lines.append(f"'{name}' is not an argument of {tool}; it takes{takes}")
        elif items[0]["type"] == "missing":
            lines.append(f"the required argument '{name}' is missing")
        elif _is_union(properties.get(name, {})):
            lines += _word_union(name, items)
        else:
            lines += [_word_value(item["loc"], item["input"], _rule(item)) for item in items]
    return f"{tool} was not run: {'; '.join(lines)}. Correct the arguments and call again."


def _is_union(schema: Any) -> bool:
    return len([kind for kind in schema.get("anyOf", []) if kind.get("type") != "null"]) > 1


def _word_union(name: str, items: list[Any]) -> list[str]:
    """Word the findings of the kinds that the caller may have meant; pydantic tries each and names it second."""
    others = [
        item for item in items if len(item["loc"]) == 2 and item["type"].endswith(("_type", "_parsing"))
    ]
    meant = [item for item in items if item not in others]
    if not meant:
        rules = dict.fromkeys(_rule(item).split(",")[0].removeprefix("input should be ") for item in others)
        return [_word_value([name], others[0]["input"], f"input should be {' or '.join(rules)}")]
    return [_word_value([name, *item["loc"][2:]], item["input"], _rule(item)) for item in meant]


def _word_value(place: Iterable[Any], value: Any, rule: str) -> str:
    return f"{'.'.join(map(str, place))} is {str(value)[:80]!r}; {rule}"


def _rule(item: Any) -> str:
    message = str(item["msg"]).replace("dictionary", "object")
    return message[:1].lower() + message[1:]


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
