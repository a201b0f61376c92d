"""What this book mends and adds on top of Jupyter Book 1 and its theme.

It mends the theme's empty second header, scripts that are emitted twice, Thebe
(never used here, and bound to another host), and 22 MB of MathJax that no page loads.
It adds pages without solution markers, figures that follow the colours of the page,
repository buttons that appear only when an address is set, ``{claims}`` and
``{verdict}``. A table with an empty head loses it.
"""

from __future__ import annotations

import html
import importlib.util
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import course_claims
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ExtensionError
from sphinx.transforms.post_transforms import SphinxPostTransform

SOLUTION_MARKER = re.compile(
    r"^[ \t]*###[ \t]*(?:BEGIN|END) SOLUTION[ \t]*(?:\n|\Z)", re.MULTILINE
)
"""A whole line that opens or closes a solution; it never takes the next indent."""

MATHJAX_KEPT = ("tex-chtml.js", "output/chtml/fonts/woff-v2", "input/tex/extensions")
"""What a page can load: the bundle, its fonts, and macros that load themselves."""


def set_theme_options(app: Sphinx, config: Config) -> None:
    """Set theme options beside those that Jupyter Book derives from ``_config.yml``."""
    options = config.html_theme_options
    options["logo"] = {"text": config.html_title, "alt_text": ""}
    options["primary_sidebar_end"] = []  # else an empty place for an advertisement
    config.html_context["default_mode"] = "auto"
    config.templates_path.append(str(Path(__file__).with_name("templates")))
    # The menu would offer renderers that are pruned below; keep its MathML for readers
    # of screens.
    config.mathjax3_config = {"options": {"enableMenu": False}}
    url = os.environ.get("COURSE_REPOSITORY_URL") or options.get("repository_url")
    if url:
        options["repository_url"] = url.removesuffix("/").removesuffix(".git")
        for button in ("repository", "source", "edit_page", "issues"):
            options[f"use_{button}_button"] = True


def drop_thebe(app: Sphinx, config: Config) -> None:
    """Disconnect Thebe: nothing here runs in the page, and its script breaks twice."""
    for listeners in list(app.events.listeners.values()):
        for listener in list(listeners):
            if listener.handler.__module__ == "sphinx_thebe":
                app.disconnect(listener.id)
    css_files = app.registry.css_files
    css_files[:] = [item for item in css_files if item[0] != "sphinx-thebe.css"]


def mend_page(
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    """Keep the first of each script on a page, and name the toggles of the sidebar."""
    first = {
        (str(script.filename), script.attributes.get("body")): script
        for script in reversed(context.get("script_files", []))
    }
    context["script_files"] = list(reversed(first.values()))
    toctree = context["generate_toctree_html"]

    def named_toctree(kind: str, **options: Any) -> Any:
        """Return the theme's tree of pages; a screen reader can name its toggles."""
        tree = toctree(kind, **options)
        for summary in tree.find_all("summary"):
            summary["aria-label"] = "Show or hide the pages of this chapter"
        return tree

    context["generate_toctree_html"] = named_toctree


def read_every_page(app: Sphinx, env: Any, *changes: set[str]) -> set[str]:
    """Name all pages as changed, so that a second build is as complete as a first.

    Sphinx's search index forgets the terms of every page that is not read again.
    """
    return set(env.found_docs)


def clean_notebook(app: Sphinx, docname: str, source: list[str]) -> None:
    """Take solution markers, and outputs for machines, out of a notebook's page.

    The downloaded notebook keeps both: solutions are open.
    """
    if not app.env.doc2path(docname).endswith(".ipynb"):
        return
    notebook = json.loads(source[0])
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            text = SOLUTION_MARKER.sub("", "".join(cell["source"]))
            cell["source"] = text.rstrip("\n")
            for output in cell["outputs"]:
                output.get("data", {}).pop(course_claims.MIME, None)
    source[0] = json.dumps(notebook)


class InlineFigures(SphinxPostTransform):
    """Put the book's SVG figures into the page, so that they follow its colours."""

    default_priority = 5
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        """Replace every image from a ``figures`` folder by the SVG itself."""
        for image in list(self.document.findall(nodes.image)):
            path = Path(self.app.srcdir, image["uri"])
            if path.suffix == ".svg" and path.parent.name == "figures":
                svg = inline_svg(path.read_text(encoding="utf-8"), image.get("alt", ""))
                image.replace_self(nodes.raw("", svg, format="html"))


class HeadlessTables(SphinxPostTransform):
    """Take away a table head without a word: Markdown has no table without one."""

    default_priority = 5

    def run(self, **kwargs: Any) -> None:
        """Remove every table head that is empty."""
        for head in list(self.document.findall(nodes.thead)):
            if not head.astext().strip() and not list(head.findall(nodes.image)):
                head.parent.remove(head)


def inline_svg(svg: str, alt: str) -> str:
    """Return a figure ready for a page: named by its alt text, without a tooltip."""
    svg = re.sub(r"<\?xml.*?\?>|<title\b.*?</title>", "", svg, flags=re.DOTALL)
    label = html.escape(alt, quote=True)
    return svg.strip().replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)


def prune_mathjax(app: Sphinx, exception: Exception | None) -> None:
    """Delete what no page loads from the offline copy of MathJax."""
    target = Path(app.outdir, "_static", "mathjax")
    spec = importlib.util.find_spec("sphinx-mathjax-offline")
    if exception is not None or not target.is_dir() or spec is None:
        return
    source = Path(str(spec.origin)).parent / "static" / "mathjax"
    shutil.rmtree(target)
    for name in MATHJAX_KEPT:
        copy = shutil.copytree if (source / name).is_dir() else shutil.copyfile
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        copy(source / name, target / name)


def write_index(app: Sphinx, exception: Exception | None) -> None:
    """Write the redirect at the root as a valid page with a link."""
    if exception is None and app.builder.format == "html":
        page = f"{app.config.root_doc}.html"
        title = html.escape(app.config.html_title)
        Path(app.outdir, "index.html").write_text(
            f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            f'<meta http-equiv="refresh" content="0; url={page}">\n'
            f"<title>{title}</title>\n</head>\n"
            f'<body><p><a href="{page}">{title}</a></p></body>\n</html>\n',
            encoding="utf-8",
        )


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the pieces with Sphinx."""
    if "sphinx_thebe" not in app.extensions:
        raise ExtensionError("book/_ext/course.py expects Jupyter Book's extensions")
    app.connect("config-inited", set_theme_options)
    app.connect("config-inited", drop_thebe)
    app.connect("env-get-outdated", read_every_page)
    app.connect("source-read", clean_notebook)
    app.connect("html-page-context", mend_page, priority=900)
    app.connect("build-finished", prune_mathjax, priority=900)
    app.connect("build-finished", write_index, priority=100)
    app.add_post_transform(InlineFigures)
    app.add_post_transform(HeadlessTables)
    app.add_directive("claims", course_claims.Claims)
    app.add_role("verdict", course_claims.Verdict())
    return {"parallel_read_safe": True, "parallel_write_safe": True}
