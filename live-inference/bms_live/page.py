"""The API reference as one self-contained page: nothing is loaded from elsewhere, so it works offline."""

import json
from collections.abc import Mapping
from html import escape
from typing import Any

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1c2733; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h1 { margin-bottom: 0 } section { border-top: 1px solid #d5dce3; margin-top: 1.5rem; padding-top: .5rem }
h2 { font: 600 1.1rem ui-monospace, monospace } h2 b { background: #1f6f8b; color: #fff; border-radius: 4px;
padding: .1rem .5rem; margin-right: .5rem } table { border-collapse: collapse; width: 100% }
td, th { text-align: left; vertical-align: top; border-bottom: 1px solid #e6ebf0; padding: .3rem .6rem .3rem 0 }
textarea { width: 100%; height: 11rem; font: 13px ui-monospace, monospace; box-sizing: border-box }
pre { background: #f3f6f8; padding: .7rem; overflow: auto; max-height: 24rem } pre:empty { display: none }
code { font: 13px ui-monospace, monospace } button { padding: .3rem 1rem }
"""
_SCRIPT = """
for (const section of document.querySelectorAll("section")) {
  const [button, box, answer] = ["button", "textarea", "pre"].map(tag => section.querySelector(tag));
  button.onclick = async () => {
    answer.textContent = "…";
    const body = box ? {body: box.value, headers: {"Content-Type": "application/json"}} : {};
    try {
      const reply = await fetch(section.dataset.path, {method: section.dataset.method, ...body});
      answer.textContent = `HTTP ${reply.status}\\n` + JSON.stringify(await reply.json(), null, 2);
    } catch (error) { answer.textContent = `No answer: ${error.message}`; }
  };
}
"""


def reference_page(openapi: Mapping[str, Any]) -> str:
    """Render an OpenAPI description: every endpoint with its fields, its answer, and a form to try it."""
    info, schemas = openapi["info"], openapi["components"]["schemas"]
    sections = "".join(
        _section(method.upper(), path, operation, schemas)
        for path, operations in openapi["paths"].items()
        for method, operation in operations.items()
    )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(info["title"])}</title>'
        f"<style>{_STYLE}</style><h1>{escape(info['title'])} {escape(info['version'])}</h1>"
        f'<p>{escape(info["description"])}</p><p><a href="/openapi.json">openapi.json</a></p>'
        f"{sections}<script>{_SCRIPT}</script></html>"
    )


def _section(method: str, path: str, operation: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    asked, example = "", ""
    if body is not None:
        request = _resolved(body, schemas)
        asked = f"<h3>Request</h3>{_fields(request, schemas)}"
        text = escape(_example(request.get("examples", [{}])[0]))
        example = f'<textarea spellcheck="false" aria-label="Request body">{text}</textarea>'
    envelope = _resolved(operation["responses"]["200"]["content"]["application/json"]["schema"], schemas)
    data = _resolved(envelope["properties"]["data"], schemas)
    return (
        f'<section data-method="{method}" data-path="{escape(path)}"><h2><b>{method}</b>{escape(path)}</h2>'
        f"<p>{escape(operation.get('description', ''))}</p>{asked}"
        f"<h3>Answer, in <code>data</code></h3>{_fields(data, schemas)}"
        f"<h3>Try it</h3>{example}<p><button>Send</button></p><pre></pre></section>"
    )


def _example(body: Mapping[str, Any]) -> str:
    """Write an example as JSON with one list item per line, as people write readings."""

    def written(value: Any) -> str:
        items = ",\n  ".join(json.dumps(item, ensure_ascii=False) for item in value)
        return f"[\n  {items}\n ]"

    fields = (
        f" {json.dumps(name)}: {written(value) if isinstance(value, list) else json.dumps(value)}"
        for name, value in body.items()
    )
    return "{\n" + ",\n".join(fields) + "\n}"


def _fields(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    """Render the fields of an object, those of its lists below them."""
    required = set(schema.get("required", ()))
    rows = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{escape(_kind(field) + _default(name, field, required))}</td>"
        f"<td>{escape(field.get('description', ''))}{_nested(field, schemas)}</td></tr>"
        for name, field in schema.get("properties", {}).items()
    )
    return f"<table>{rows}</table>"


def _default(name: str, field: Mapping[str, Any], required: set[str]) -> str:
    return f" = {json.dumps(field['default'])}" if name not in required and "default" in field else ""


def _nested(field: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    item = field.get("items", {})
    return _fields(_resolved(item, schemas), schemas) if "$ref" in item else ""


def _kind(field: Mapping[str, Any]) -> str:
    """Name a field's type in words, with its bounds.

    >>> _kind({"type": "integer", "minimum": 1, "maximum": 9})
    'integer 1…9'
    >>> _kind({"anyOf": [{"type": "number"}, {"type": "null"}]})
    'number or null'
    """
    if "anyOf" in field:
        return " or ".join(_kind(option) for option in field["anyOf"])
    if "enum" in field:
        return " | ".join(json.dumps(value) for value in field["enum"])
    low = field.get("minimum", field.get("minItems"))
    high = field.get("maximum", field.get("maxItems"))
    bounds = f" {low:,}…{high:,}" if low is not None and high is not None else ""
    return f"{field.get('type', 'object')}{bounds}"


def _resolved(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow a reference, through an optional one too."""
    for option in (schema, *schema.get("anyOf", ())):
        if "$ref" in option:
            target: Mapping[str, Any] = schemas[option["$ref"].rsplit("/", 1)[-1]]
            return target
    return schema
