"""Build the book and check the pages that come out.

`python -m tools.book.site` checks `_build/html`, as `make book` left it, and prints
what is wrong with it. The tests do the same on a fresh build. Every check is a function
that returns its complaints as a list of sentences: what is wrong, where, what to do.
"""

import functools
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from sphinx_external_toc.parsing import parse_toc_yaml

ROOT = Path(__file__).resolve().parents[2]
HTML = ROOT / "_build" / "html"
PAGE_PATTERNS = ("book/*.md", "labs/*.ipynb", "data/README.md")

RESOURCES = {
    "audio": "src",
    "embed": "src",
    "iframe": "src",
    "img": "src",
    "image": "href",
    "object": "data",
    "script": "src",
    "source": "src",
    "use": "href",
    "video": "src",
}
"""Elements that make a browser send a request, and the attribute that says where."""

LOADED_LINKS = {"icon", "manifest", "modulepreload", "preload", "stylesheet"}
"""What `rel` says on a `<link>` that a browser loads; the others only point."""

CSS_URL = re.compile(r"(?:url\(|@import\s+)\s*[\"']?(?P<url>[^\"')\s;]+)")
MENTION = re.compile(r"\b(?P<kind>chapter|lab)s?\s+(?P<number>\d\d)\b", re.IGNORECASE)
MENTION_FOLDERS = {"chapter": "book", "lab": "labs"}

PHONE_FIGURE_PX = 350
"""The width that a phone of 390 px leaves to a figure."""
SMALLEST_TEXT_PX = 12
FIGURE_COLOUR = re.compile(
    r"var\(\s*(?P<name>--fig-[a-z-]+)\s*,\s*#(?P<hex>[0-9a-f]{3,8})\s*\)"
)
PALETTE_COLOUR = re.compile(r"(?P<name>--[a-z-]+):\s*#(?P<hex>[0-9a-f]{6});")
ANY_COLOUR = re.compile(
    r"#[0-9a-f]{3,8}\b|rgba?\([^)]*\)|(?:fill|stroke)\s*[:=]\s*\"?(?!none\b|var\b|url\b)"
    r"[a-z]+",
    re.IGNORECASE,
)


# ---------------------------------------------------------------------------- build


@dataclass(frozen=True)
class Build:
    """What came of one run of Jupyter Book."""

    html: Path
    ok: bool
    log: str
    seconds: float

    @property
    def problems(self) -> str:
        """The lines of the log that say what is wrong; its end where none does."""
        lines = [line for line in self.log.splitlines() if line.strip()]
        marked = [line for line in lines if re.search("WARNING|ERROR|Error:", line)]
        return "\n".join(marked or lines[-20:])


def build(root: Path, out: Path, repository_url: str = "") -> Build:
    """Build the book in `root` into `out`, with warnings as errors.

    Parameters
    ----------
    root : Path
        The folder with `_config.yml` and `_toc.yml`. Nothing is written to it.
    out : Path
        The folder that receives `_build`.
    repository_url : str, default ""
        The address for the repository buttons; without one there are none.

    Returns
    -------
    Build
        Where the pages are, whether the build passed, its log, and its time.
    """
    start = "from jupyter_book.cli.main import main; main()"
    command = [sys.executable, "-c", start, "build", str(root)]
    command += ["--path-output", str(out), "-W", "-n", "--keep-going"]
    environment = os.environ | {"COURSE_REPOSITORY_URL": repository_url}
    started = time.perf_counter()
    run = subprocess.run(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
    )
    seconds = time.perf_counter() - started
    html = out / "_build" / "html"
    ok = run.returncode == 0 and (html / "index.html").is_file()
    return Build(html, ok, run.stdout, seconds)


@functools.cache
def fresh_build(root: Path = ROOT) -> Build:
    """Build the book once in this process, into a folder that goes when it ends."""
    folder = tempfile.TemporaryDirectory(prefix="book-")
    _KEPT.append(folder)
    return build(root, Path(folder.name))


_KEPT: list[tempfile.TemporaryDirectory[str]] = []


# ---------------------------------------------------------------------------- pages


@dataclass
class Page:
    """What the checks need to know about one page of the site."""

    name: str
    text: str
    ids: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    article_links: list[str] = field(default_factory=list)
    resources: list[str] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)
    without_alt: list[str] = field(default_factory=list)
    mentions: set[tuple[str, str]] = field(default_factory=set)
    bars: int = 0
    main_headings: int = 0
    has_math: bool = False

    @property
    def source(self) -> str:
        """The file to correct, as far as the page's name tells."""
        stem = self.name.removesuffix(".html")
        return f"{stem}.ipynb" if stem.startswith("labs/") else f"{stem}.md"


class _Reader(HTMLParser):
    """Fill a `Page` in one pass over its HTML."""

    QUIET = frozenset({"a", "pre", "svg", "script", "style"})

    def __init__(self, page: Page) -> None:
        super().__init__(convert_charrefs=True)
        self.page = page
        self.open: Counter[str] = Counter()
        self.divs: list[bool] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        classes = values.get("class", "").split()
        if tag in self.QUIET or tag == "article":
            self.open[tag] += 1
        if tag == "div":
            self.divs.append("cell_output" in classes)
        if "id" in values:
            self.page.ids.append(values["id"])
        self.page.has_math |= "math" in classes
        self.page.bars += tag == "header" or "bd-header-article" in classes
        self.page.main_headings += tag == "h1" and bool(self.open["article"])
        if tag == "a" and "href" in values:
            self.page.links.append(values["href"])
            if self.open["article"]:
                self.page.article_links.append(values["href"])
        self._note_resource(tag, values)
        self._note_image(tag, values)

    def _note_resource(self, tag: str, values: dict[str, str]) -> None:
        if tag == "link" and "href" in values:
            loaded = LOADED_LINKS & set(values.get("rel", "").split())
            kept = self.page.resources if loaded else self.page.links
            kept.append(values["href"])
        elif values.get(RESOURCES.get(tag, "")):
            self.page.resources.append(values[RESOURCES[tag]])
        for candidate in values.get("srcset", "").split(","):
            self.page.resources += candidate.split()[:1]
        self.page.resources += _css_urls(values.get("style", ""))
        if tag == "script" and "src" in values:
            self.page.scripts.append(values["src"])

    def _note_image(self, tag: str, values: dict[str, str]) -> None:
        """Note an image without alt text; outside the article an empty one will do."""
        in_article = bool(self.open["article"])
        if tag == "img":
            alt, src = values.get("alt"), values.get("src", "an image")
            # Where there is none, docutils writes the file's name.
            if alt in (None, src) or (in_article and not (alt or "").strip()):
                self.page.without_alt.append(src)
        elif tag == "svg" and in_article and self.open["svg"] == 1:
            hidden = values.get("aria-hidden") == "true"
            if not hidden and not values.get("aria-label", "").strip():
                self.page.without_alt.append("an SVG figure")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.open[tag]:
            self.open[tag] -= 1
        if tag == "div" and self.divs:
            self.divs.pop()

    def handle_data(self, data: str) -> None:
        if self.open["style"]:
            self.page.resources += _css_urls(data)
        quiet = any(self.open[tag] for tag in self.QUIET) or any(self.divs)
        if self.open["article"] and not quiet:
            for match in MENTION.finditer(data):
                kind = match["kind"].lower()
                self.page.mentions.add((kind, match["number"]))


def _css_urls(css: str) -> list[str]:
    """Return the addresses that a style loads, data and fragments left out."""
    urls = [match["url"] for match in CSS_URL.finditer(css)]
    return [url for url in urls if not url.startswith(("data:", "#"))]


def read_page(name: str, text: str) -> Page:
    """Read one page of the site."""
    page = Page(name, text)
    reader = _Reader(page)
    reader.feed(text)
    reader.close()
    return page


def read_site(html: Path) -> dict[str, Page]:
    """Read every page below `html`, by its name: its path with forward slashes.

    Raises
    ------
    FileNotFoundError
        If there is no page at all.
    """
    pages = {}
    for path in sorted(html.rglob("*.html")):
        name = path.relative_to(html).as_posix()
        if not name.startswith(("_static/", "_sources/")):
            pages[name] = read_page(name, path.read_text(encoding="utf-8"))
    if not pages:
        raise FileNotFoundError(f"There is no page in {html}. Run `make book` first.")
    return pages


# --------------------------------------------------------------------------- checks


def toc_complaints(root: Path) -> list[str]:
    """Say which pages the toc lacks, and which of its entries have no file."""
    listed = {str(entry) for entry in parse_toc_yaml(root / "_toc.yml")}
    files = {
        path.relative_to(root).with_suffix("").as_posix(): path.suffix
        for pattern in PAGE_PATTERNS
        for path in sorted(root.glob(pattern))
    }
    found = [
        f"{name}{files[name]} is in no line of _toc.yml, so the book leaves it out. "
        "Add it, or delete the file."
        for name in sorted(files.keys() - listed)
    ]
    found += [
        f"_toc.yml lists {name}, but there is no such page. Write it, or delete the "
        "entry."
        for name in sorted(listed - files.keys())
    ]
    return found


def alt_complaints(pages: Iterable[Page]) -> list[str]:
    """Say which images have no alt text."""
    return [
        f"{page.source}: {image} has no alt text. Say what it shows (a figure: `:alt:`;"
        " a cell: metadata mystnb.image.alt)."
        for page in pages
        for image in page.without_alt
    ]


def link_complaints(html: Path, pages: dict[str, Page]) -> list[str]:
    """Say which links inside the site lead nowhere, and which anchors are ambiguous."""
    ids = {name: set(page.ids) for name, page in pages.items()}
    found = []
    for page in pages.values():
        for link in dict.fromkeys(page.links):
            problem = _link_problem(html, page.name, link, ids)
            if problem:
                found.append(f"{page.source}: the link to {link} {problem}.")
        repeated = [name for name, count in Counter(page.ids).items() if count > 1]
        found += [
            f"{page.source}: the anchor #{name} stands on the page more than once."
            for name in repeated
        ]
    return found


def _link_problem(
    html: Path, page: str, link: str, ids: dict[str, set[str]]
) -> str | None:
    """Return what is wrong with one link, or None."""
    parts = urlsplit(link)
    if parts.scheme in ("http", "https", "mailto"):
        return None
    if parts.scheme or parts.netloc or parts.path.startswith("/"):
        return "is not relative to the page, so it breaks where the site moves"
    target = resolve(page, link)
    if target is None or not (html / target).is_file():
        return "leads to no file of the site"
    if parts.fragment and unquote(parts.fragment) not in ids.get(target, set()):
        return f"names an anchor that {target} does not have"
    return None


def resolve(page: str, link: str) -> str | None:
    """Return the name that a relative link has in the site; None if it leaves it."""
    path = unquote(urlsplit(link).path)
    if not path:
        return page
    parts: list[str] = []
    for part in (PurePosixPath(page).parent / path).parts:
        if part == ".." and not parts:
            return None
        if part == "..":
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)


def request_complaints(html: Path, pages: dict[str, Page]) -> list[str]:
    """Say what the site would load from another host, or from a file that is missing.

    Style sheets are searched too. What a script asks for while it runs only the
    browser test can see.
    """
    loaded = {(page.name, url) for page in pages.values() for url in page.resources}
    sheets = {resolve(name, url) for name, url in loaded if ".css" in url}
    for sheet in sorted(name for name in sheets if name and (html / name).is_file()):
        css = (html / sheet).read_text(encoding="utf-8")
        loaded |= {(sheet, url) for url in _css_urls(css)}
    found = []
    for name, url in sorted(loaded):
        parts = urlsplit(url)
        target = resolve(name, url)
        if parts.scheme == "data":
            continue
        if parts.scheme or parts.netloc:
            found.append(f"{name}: loads {url} from another host. Keep a copy here.")
        elif target is None or not (html / target).is_file():
            found.append(f"{name}: loads {url}, which is not in the site.")
    return found


def theme_complaints(pages: dict[str, Page]) -> list[str]:
    """Say where a mend of the theme in book/_ext/course.py no longer works."""
    found = []
    for page in pages.values():
        for script, count in Counter(page.scripts).items():
            if count > 1:
                found.append(f"{page.name}: the script {script} comes {count} times.")
        mathjax = sum("mathjax" in script.lower() for script in page.scripts)
        if mathjax > 1 or (page.has_math and not mathjax):
            found.append(f"{page.name}: MathJax comes {mathjax} times.")
        if "thebe" in page.text.lower():
            found.append(f"{page.name}: Thebe is back; it is bound to another host.")
        if page.article_links and page.bars != 1:
            found.append(f"{page.name}: {page.bars} bars above the page, not 1.")
        if page.article_links and page.main_headings != 1:
            found.append(f"{page.name}: {page.main_headings} first headings, not 1.")
    return found


def marker_complaints(pages: dict[str, Page]) -> list[str]:
    """Say which labs show the markers around a solution."""
    marker = re.compile(r"#\s*(?:BEGIN|END) SOLUTION")
    return [
        f"{page.name}: shows a solution marker; book/_ext/course.py strips them."
        for name, page in pages.items()
        if name.startswith("labs/") and marker.search(page.text)
    ]


def mention_complaints(pages: dict[str, Page]) -> list[str]:
    """Say which pages name a chapter or a lab that exists without a link to it.

    The convention: what is not written yet is plain text, as "chapter 05" or
    "lab 05". Once the page exists, every page that names it so must link to it at
    least once. Code, outputs and figures are left out.
    """
    found = []
    for page in pages.values():
        linked = {resolve(page.name, link) for link in page.article_links}
        for kind, number in sorted(page.mentions):
            start = f"{MENTION_FOLDERS[kind]}/{number}_"
            targets = {name for name in pages if name.startswith(start)}
            if targets and page.name not in targets and not targets & linked:
                label = sorted(targets)[0].removesuffix(".html")
                found.append(
                    f"{page.source}: names {kind} {number} in plain text, but {label} "
                    "exists. Link to it where the page names it first."
                )
    return found


def palettes(css: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return the named colours of the book's style sheet, light ones and dark ones."""
    light, _, rest = css.partition('html[data-theme="dark"]')
    dark = rest.partition("}")[0]
    first, second = (
        {match["name"]: match["hex"] for match in PALETTE_COLOUR.finditer(part)}
        for part in (light, dark)
    )
    return first, second


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours (`1d2530`), as WCAG 2 defines it: 1 to 21."""
    levels = []
    for colour in (one, other):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        linear = [
            p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts
        ]
        levels.append(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2])
    return (max(levels) + 0.05) / (min(levels) + 0.05)


def figure_complaints(root: Path) -> list[str]:
    """Say which hand-drawn figures break a rule of book/figures.

    A title and a description; text of 12 px or more on a phone; no colour but the
    named ones of course.css, which change in the dark; ids that begin with the stem.
    """
    found = []
    light, _ = palettes((root / "book/_static/course.css").read_text(encoding="utf-8"))
    for path in sorted(root.glob("book/figures/*.svg")):
        svg = path.read_text(encoding="utf-8")
        name = path.relative_to(root).as_posix()
        found += [
            f"{name}: has no <{tag}>. Say what the figure shows."
            for tag in ("title", "desc")
            if not re.search(rf"<{tag}\b[^>]*>\s*[^<\s]", svg)
        ]
        found += [f"{name}: {problem}" for problem in _text_problems(svg)]
        rest = FIGURE_COLOUR.sub("", re.sub(r"url\(#[^)]*\)", "", svg))
        for colour in dict.fromkeys(ANY_COLOUR.findall(rest)):
            found.append(
                f"{name}: the colour {colour!r} stays the same in the dark. Use "
                "var(--fig-NAME, #hex) with a name from book/_static/course.css."
            )
        for match in FIGURE_COLOUR.finditer(svg):
            colour = match["name"]
            if colour != "--fig-page" and light.get(colour) != match["hex"]:
                found.append(f"{name}: course.css has no {colour} #{match['hex']}.")
        for anchor in re.findall(r"\bid=\"([^\"]+)\"", svg):
            if not anchor.startswith(path.stem):
                found.append(f"{name}: the id {anchor} must begin with {path.stem}.")
    return found


def _text_problems(svg: str) -> list[str]:
    """Say what makes the text of a figure too small on a phone."""
    box = re.search(r"viewBox=\"\s*\S+\s+\S+\s+([\d.]+)", svg)
    sizes = [float(size) for size in re.findall(r"font-size[:=]\s*\"?([\d.]+)", svg)]
    if box is None or not sizes:
        return ["state a viewBox and a font-size, so that both can be checked."]
    smallest = min(sizes) * min(1, PHONE_FIGURE_PX / float(box[1]))
    if smallest < SMALLEST_TEXT_PX:
        return [f"text of {smallest:.1f} px on a phone; make it narrower, 12 or more."]
    return []


def site_complaints(html: Path, root: Path = ROOT) -> list[str]:
    """Run every check on the site in `html`, built from the sources in `root`."""
    pages = read_site(html)
    return [
        *toc_complaints(root),
        *figure_complaints(root),
        *alt_complaints(pages.values()),
        *link_complaints(html, pages),
        *request_complaints(html, pages),
        *theme_complaints(pages),
        *marker_complaints(pages),
        *mention_complaints(pages),
    ]


def main() -> int:
    """Check the site that `make book` built."""
    found = site_complaints(HTML)
    print("\n".join(found) or f"{HTML}: nothing to complain about")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
