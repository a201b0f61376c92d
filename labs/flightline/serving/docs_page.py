"""A page that documents the service and lets a reader try it, without any other host.

FastAPI's own page loads its scripts from a content network. This one is a single file:
it is made from the OpenAPI document, and its few lines of script talk to this service.
"""

import json
from collections.abc import Mapping
from html import escape
from typing import Any

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>
  :root {{ color-scheme: light dark; }}
  body {{ font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 46rem;
         padding: 0 1rem; }}
  table {{ border-collapse: collapse; display: block; overflow-x: auto; }}
  th, td {{ border-bottom: 1px solid #888; padding: .3rem .8rem .3rem 0;
           text-align: left; vertical-align: top; }}
  code, pre, textarea, input {{ font: 14px/1.4 ui-monospace, monospace; }}
  textarea, input {{ box-sizing: border-box; width: 100%; }}
  textarea {{ height: 15em; }}
  label {{ display: block; margin-top: .8rem; }}
  button {{ font: inherit; margin: .8rem 0; padding: .3rem 1rem; }}
  pre {{ overflow-x: auto; white-space: pre-wrap; }}
</style>
</head>
<body>
<h1>{title}</h1>
<p>The machine's version of this page is <a href="openapi.json">openapi.json</a>.</p>
<h2>Try it</h2>
<form id="ask">
  <label for="key">Key</label>
  <input id="key" autocomplete="off" required>
  <label for="body">Flight</label>
  <textarea id="body" spellcheck="false">{example}</textarea>
  <button>Score this flight</button>
</form>
<pre id="answer" aria-live="polite"></pre>
<h2>Paths</h2>
{paths}
<h2>Fields of a flight</h2>
{fields}
<script>
document.getElementById("ask").addEventListener("submit", async (event) => {{
  event.preventDefault();
  const answer = document.getElementById("answer");
  try {{
    const response = await fetch("v1/predict", {{
      method: "POST",
      headers: {{
        "Authorization": "Bearer " + document.getElementById("key").value.trim(),
        "Content-Type": "application/json",
      }},
      body: document.getElementById("body").value,
    }});
    const text = JSON.stringify(await response.json(), null, 2);
    answer.textContent = response.status + " " + response.statusText + "\\n" + text;
  }} catch (error) {{
    answer.textContent = "No answer: " + error.message;
  }}
}});
</script>
</body>
</html>
"""


def page(document: Mapping[str, Any], example: Mapping[str, Any]) -> str:
    """Return the page for an OpenAPI document.

    Parameters
    ----------
    document : mapping
        What `FastAPI.openapi` returns.
    example : mapping
        A flight that the form starts with.

    Returns
    -------
    str
        HTML that loads nothing.
    """
    schema = document["components"]["schemas"]["Flight"]
    return PAGE.format(
        title=escape(document["info"]["title"]),
        example=escape(json.dumps(example, indent=2)),
        paths="".join(_path(*item) for item in document["paths"].items()),
        fields=_table(
            ["Field", "Must be"],
            [
                [f"<code>{escape(name)}</code>", escape(_rule(field))]
                for name, field in schema["properties"].items()
            ],
        ),
    )


def _path(path: str, methods: Mapping[str, Any]) -> str:
    """Return heading, sentence and status codes of one path."""
    parts = []
    for method, what in methods.items():
        rows = [
            [f"<code>{escape(code)}</code>", escape(answer["description"])]
            for code, answer in what["responses"].items()
        ]
        parts.append(
            f"<h3><code>{escape(method.upper())} {escape(path)}</code></h3>"
            f"<p>{escape(what.get('description', ''))}</p>"
            + _table(["Status", "When"], rows)
        )
    return "".join(parts)


def _table(head: list[str], rows: list[list[str]]) -> str:
    """Return an HTML table; the cells are HTML already."""
    top = "".join(f'<th scope="col">{cell}</th>' for cell in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def _rule(field: Mapping[str, Any]) -> str:
    """Say in words what a field must be."""
    if "anyOf" in field:
        return " or ".join(_rule(option) for option in field["anyOf"])
    if "enum" in field:
        return "one of " + ", ".join(field["enum"])
    said = [str(field.get("type", "")).replace("null", "nothing")]
    if "minimum" in field:
        said.append(f"from {field['minimum']:g} to {field['maximum']:g}")
    if "pattern" in field and len(field["pattern"]) < 30:
        said.append(f"that matches {field['pattern']}")
    if len(field.get("pattern", "")) >= 30:
        said.append("an instant of 2013 in UTC, such as 2013-07-03T00:49:00Z")
    if "description" in field:
        said.append(f"({field['description']})")
    said = [text for text in said if text]  # a field of any type has none to name
    return ", ".join(said[:2]) + "".join(f" {more}" for more in said[2:])
