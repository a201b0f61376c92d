"""The frame of each page that the system writes: one file that needs no network."""

import numpy as np
from jinja2 import Environment
from markupsafe import Markup

PAGE_STYLE = """
:root { color-scheme: light dark; --ink: #1d2530; --page: #ffffff; --muted: #525c6a;
  --line: #c3cad3; --dot: #0072b2; --limit: #b34a00; --bar: #9ccdea; --now: #e69f00; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8ebf0; --page: #14181e;
  --muted: #b3bcc8; --line: #4a5461; --dot: #56b4e9; --limit: #f08a3c; --bar: #2d6f99;
  --now: #e69f00; } }
body { background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif;
  margin: 0 auto; max-width: 60rem; overflow-wrap: anywhere; padding: 1rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; overflow-wrap: normal; }
caption { color: var(--muted); text-align: left; }
th, td { border-bottom: 1px solid var(--line); padding: .25rem .6rem;
  text-align: right; vertical-align: top; }
th.text, td.text { text-align: left; }
svg { display: block; height: auto; max-width: 100%; }
.callout { border-left: .4rem solid var(--limit); padding-left: .8rem; }
"""
"""Light and dark; the colours are those that `as_svg` names."""

FRAME = """
{%- macro table(caption, names, rows) -%}
<div class="wide" tabindex="0" role="group" aria-label="{{ caption }}">
<table><caption>{{ caption }}</caption><thead><tr>
{%- for name in names %}
<th scope="col" class="text">{{ name }}</th>
{%- endfor %}</tr></thead><tbody>
{%- for row in rows %}
<tr><th scope="row" class="text">{{ row[0] }}</th>
{%- for value in row[1:] %}
<td{% if value is not figure %} class="text"{% endif %}>{{ value|cell }}</td>
{%- endfor %}</tr>
{%- endfor %}</tbody></table></div>
{%- endmacro -%}
<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><title>{{ title }}</title>
<style>{{ style }}</style></head>
<body><main><h1>{{ title }}</h1>
BODY
</main></body></html>
"""


def fill_page(body: str, title: str, style: str = "", **values: object) -> str:
    """Return a page: a template in the common frame, filled.

    Parameters
    ----------
    body : str
        A Jinja template, from below the heading on. `table(caption, names, rows)`
        writes a table whose first column heads its rows.
    title : str
        The heading.
    style : str
        Rules behind those of `PAGE_STYLE`.
    **values
        What the template names. Every text is escaped; give drawings as `Markup`.

    Returns
    -------
    str
        HTML, light and dark, that loads nothing.
    """
    pages = Environment(autoescape=True)
    pages.filters["cell"], pages.tests["figure"] = _cell, _is_figure
    template = pages.from_string(FRAME.strip().replace("BODY", body.strip()))
    page = template.render(title=title, style=Markup(PAGE_STYLE + style), **values)
    return page + "\n"


def _is_figure(value: object) -> bool:
    """Tell whether a value of a table is a number."""
    number = isinstance(value, int | float | np.number)
    return number and not isinstance(value, bool | np.bool_)


def _cell(value: object) -> str:
    """Return the text of one cell of a table."""
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, int | np.integer):
        return f"{value:,}"
    if isinstance(value, float | np.floating):
        return "" if np.isnan(value) else f"{value:.4g}"
    return str(value)
