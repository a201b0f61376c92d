"""The book builds without a warning, and its pages keep what the house promises.

The checks live in tools/site.py. Each is proved here on a small site that is broken.
"""

import json
import re
import shutil
from pathlib import Path

import pytest

from tools.book import site
from tools.book.site import ROOT, Build, Page

# ------------------------------------------------------------------- the real book


@pytest.fixture(scope="module")
def built() -> Build:
    """The book, built once from these sources into a folder of its own."""
    return site.fresh_build()


@pytest.fixture(scope="module")
def pages(built: Build) -> dict[str, Page]:
    """Every page of the book."""
    return site.read_site(built.html)


def test_the_book_builds_without_a_warning(built: Build) -> None:
    assert built.ok, f"`make book` fails:\n{built.problems}"


def test_every_page_of_the_toc_is_built(pages: dict[str, Page]) -> None:
    sources = [
        path.relative_to(ROOT).with_suffix(".html").as_posix()
        for pattern in site.PAGE_PATTERNS
        for path in ROOT.glob(pattern)
    ]
    assert len(sources) >= 8
    assert sorted(set(sources) - pages.keys()) == []


def test_the_toc_and_the_files_agree() -> None:
    complain(site.toc_complaints(ROOT))


def test_figures_can_be_read_everywhere() -> None:
    assert list(ROOT.glob("book/figures/*.svg"))
    complain(site.figure_complaints(ROOT))


def test_colours_have_enough_contrast() -> None:
    """Words 4.5 and lines 3 on every ground that they may stand on, light and dark."""
    css = (ROOT / "book" / "_static" / "course.css").read_text()
    for page, colours in zip(("ffffff", "121212"), site.palettes(css), strict=True):
        fills = [hex_ for name, hex_ in colours.items() if name.endswith("-fill")]
        assert len(fills) == 3
        for ground in [page, colours["--fig-card"], *fills]:
            assert site.contrast(colours["--fig-ink"], ground) > 7
            assert site.contrast(colours["--fig-muted"], ground) > 4.5
        for name in ("line", "blue", "orange", "green"):
            assert site.contrast(colours[f"--fig-{name}"], page) > 3, name
        for name in ("holds", "when", "not"):
            assert site.contrast(colours[f"--verdict-{name}"], page) > 4.5, name


def test_contrast_is_that_of_wcag() -> None:
    assert site.contrast("000000", "ffffff") == pytest.approx(21)
    assert site.contrast("767676", "ffffff") == pytest.approx(4.54, abs=0.01)


def test_images_have_alt_text(pages: dict[str, Page]) -> None:
    complain(site.alt_complaints(pages.values()))


def test_links_and_anchors_lead_somewhere(built: Build, pages: dict[str, Page]) -> None:
    assert sum(len(page.links) for page in pages.values()) > 100
    complain(site.link_complaints(built.html, pages))


def test_nothing_is_loaded_from_another_host(
    built: Build, pages: dict[str, Page]
) -> None:
    complain(site.request_complaints(built.html, pages))


def test_the_mends_of_the_theme_hold(pages: dict[str, Page]) -> None:
    complain(site.theme_complaints(pages))


def test_labs_show_no_solution_marker(built: Build, pages: dict[str, Page]) -> None:
    complain(site.marker_complaints(pages))
    downloads = list(built.html.glob("_sources/labs/*.ipynb"))
    assert downloads
    assert any("### BEGIN SOLUTION" in path.read_text() for path in downloads), (
        "the downloaded labs lost their markers; solutions are open there"
    )


def test_what_is_written_is_linked(pages: dict[str, Page]) -> None:
    complain(site.mention_complaints(pages))


def test_without_an_address_no_page_points_to_a_repository(
    pages: dict[str, Page],
) -> None:
    assert not [name for name, page in pages.items() if "/edit/main/" in page.text]


def test_the_claims_page_shows_every_claim(pages: dict[str, Page]) -> None:
    """Each statement that a lab's stored outputs carry stands on the page."""
    mime = "application/vnd.flightline.claims+json"
    text = re.sub(r"<[^>]+>", "", pages["book/claims.html"].text)
    statements = [
        claim["statement"]
        for path in sorted(ROOT.glob("labs/*.ipynb"))
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
        for output in cell.get("outputs", [])
        for claim in output.get("data", {}).get(mime, [])
    ]
    assert statements
    shown = " ".join(text.split())
    missing = [s for s in statements if escaped(s.replace("`", "")) not in shown]
    assert missing == []


def test_mathjax_is_pruned(built: Build) -> None:
    """22 MB of 24 are renderers, menus and voices that no page asks for."""
    kept = built.html / "_static" / "mathjax"
    assert (kept / "tex-chtml.js").is_file()
    assert sum(path.stat().st_size for path in kept.rglob("*")) < 3_000_000


# --------------------------------------------- each check, on a site that is broken


def complain(found: list[str]) -> None:
    """Fail with the complaints, one a line."""
    assert not found, "\n" + "\n".join(found)


def escaped(text: str) -> str:
    """Return plain text as Sphinx writes it, on one line."""
    for plain, entity in (
        ("&", "&amp;"),
        ("<", "&lt;"),
        (">", "&gt;"),
        ('"', "&quot;"),
    ):
        text = text.replace(plain, entity)
    return " ".join(text.split())


def small_site(folder: Path, **bodies: str) -> dict[str, Page]:
    """Write pages below `folder`, named by keywords (`book__one`), and read them."""
    for name, body in bodies.items():
        path = folder / f"{name.replace('__', '/')}.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"<html><body>{body}</body></html>", encoding="utf-8")
    return site.read_site(folder)


def article(body: str) -> str:
    """Return the frame of a sound page around a body."""
    return (
        '<div class="bd-header-article"></div>'
        f'<article><h1 id="top">T</h1>{body}<a href="#top">#</a></article>'
    )


def test_a_site_without_pages_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="make book"):
        site.read_site(tmp_path)


def test_a_sound_page_has_no_complaints(tmp_path: Path) -> None:
    body = '<img src="a.png" alt="A line"><a href="https://example.org">far</a>'
    pages = small_site(tmp_path, book__one=article(body))
    (tmp_path / "book" / "a.png").touch()
    assert site.alt_complaints(pages.values()) == []
    assert site.link_complaints(tmp_path, pages) == []
    assert site.request_complaints(tmp_path, pages) == []
    assert site.theme_complaints(pages) == []
    assert site.mention_complaints(pages) == []


def test_a_page_outside_the_toc_is_found(tmp_path: Path) -> None:
    (tmp_path / "book").mkdir()
    for name in ("index.md", "stray.md"):
        (tmp_path / "book" / name).write_text("# Title\n")
    toc = "format: jb-book\nroot: book/index\nchapters:\n  - file: book/missing\n"
    (tmp_path / "_toc.yml").write_text(toc)
    stray, missing = site.toc_complaints(tmp_path)
    assert stray.startswith("book/stray.md is in no line of _toc.yml")
    assert missing.startswith("_toc.yml lists book/missing, but")


@pytest.mark.parametrize(
    "image",
    [
        '<img src="a.png">',
        '<img src="a.png" alt=" ">',
        '<img src="../_images/a.png" alt="../_images/a.png">',
        "<svg></svg>",
    ],
)
def test_an_image_without_alt_text_is_found(tmp_path: Path, image: str) -> None:
    (found,) = site.alt_complaints(
        small_site(tmp_path, book__a=article(image)).values()
    )
    assert found.startswith("book/a.md: ")
    assert "has no alt text" in found


@pytest.mark.parametrize(
    ("link", "problem"),
    [
        ("nowhere.html", "leads to no file of the site"),
        ("../../outside.html", "leads to no file of the site"),
        ("one.html#nowhere", "names an anchor that book/one.html does not have"),
        ("#nowhere", "names an anchor"),
        ("/book/one.html", "is not relative"),
        ("file:///c:/one.html", "is not relative"),
    ],
)
def test_a_link_to_nowhere_is_found(tmp_path: Path, link: str, problem: str) -> None:
    one, two = article(""), article(f'<a href="{link}">x</a>')
    pages = small_site(tmp_path, book__one=one, book__two=two)
    (found,) = site.link_complaints(tmp_path, pages)
    assert found.startswith(f"book/two.md: the link to {link} {problem}")


def test_an_anchor_that_stands_twice_is_found(tmp_path: Path) -> None:
    body = article('<p id="a"></p><p id="a"></p>')
    (found,) = site.link_complaints(tmp_path, small_site(tmp_path, labs__one=body))
    assert found == "labs/one.ipynb: the anchor #a stands on the page more than once."


@pytest.mark.parametrize(
    "element",
    [
        '<script src="https://example.org/a.js"></script>',
        '<script src="//example.org/a.js"></script>',
        '<link rel="stylesheet" href="https://example.org/a.css">',
        '<link rel="preload" as="font" href="https://example.org/a.woff2">',
        '<img alt="x" src="https://example.org/a.png">',
        '<img alt="x" src="a.png" srcset="https://example.org/b.png 2x">',
        '<iframe src="https://example.org/"></iframe>',
        "<style>@import 'https://example.org/a.css';</style>",
        '<p style="background: url(https://example.org/a.png)"></p>',
        '<link rel="stylesheet" href="far.css">',
    ],
)
def test_a_request_to_another_host_is_found(tmp_path: Path, element: str) -> None:
    pages = small_site(tmp_path, book__one=article(element))
    (tmp_path / "book" / "a.png").touch()
    css = "body { background: url('https://example.org/a.png'); }"
    (tmp_path / "book" / "far.css").write_text(css)
    (found,) = site.request_complaints(tmp_path, pages)
    assert "example.org" in found
    assert "from another host" in found


def test_a_missing_script_is_found(tmp_path: Path) -> None:
    pages = small_site(tmp_path, book__one=article('<script src="a.js"></script>'))
    (found,) = site.request_complaints(tmp_path, pages)
    assert found == "book/one.html: loads a.js, which is not in the site."


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ('<script src="a.js"></script>' * 2, "the script a.js comes 2 times"),
        ('<script src="x/mathjax/a.js"></script>' * 2, "MathJax comes 2 times"),
        ('<span class="math">x</span>', "MathJax comes 0 times"),
        ("<script>const THEBE_JS_URL = 1</script>", "Thebe is back"),
        ("<header></header>", "2 bars above the page"),
        ("<h1>Again</h1>", "2 first headings"),
    ],
)
def test_a_fault_of_the_theme_is_found(tmp_path: Path, body: str, problem: str) -> None:
    found = site.theme_complaints(small_site(tmp_path, book__one=article(body)))
    assert any(problem in complaint for complaint in found), found


def test_a_solution_marker_is_found(tmp_path: Path) -> None:
    body = article('<pre><span class="c1">### BEGIN SOLUTION</span></pre>')
    pages = small_site(tmp_path, book__one=body, labs__one=body)
    (found,) = site.marker_complaints(pages)
    assert found.startswith("labs/one.html: ")


@pytest.mark.parametrize(
    ("text", "complaints"),
    [
        ("See chapter 05.", 1),
        ("See Chapter 05 and chapter 05.", 1),
        ("See lab 05.", 1),
        ("See chapter 05 and lab 05.", 2),
        ("See chapter 06.", 0),
        ('See chapter 05, <a href="05_features.html">the store</a>.', 0),
        ("<pre>chapter 05</pre>", 0),
        ('<div class="cell_output"><div><p>chapter 05</p></div></div>', 0),
        ('<div class="cell_output"></div><p>chapter 05</p>', 1),
        ("On page 05.", 0),
    ],
)
def test_a_missing_link_to_a_written_chapter_is_found(
    tmp_path: Path, text: str, complaints: int
) -> None:
    pages = small_site(
        tmp_path,
        book__01_lifecycle=article(f"<p>{text}</p>"),
        book__05_features=article("This is chapter 05."),
        labs__05_features=article("This is lab 05."),
    )
    found = site.mention_complaints(pages)
    assert len(found) == complaints, found


def figure(folder: Path, svg: str) -> list[str]:
    """Complain about one figure, named `one`."""
    path = folder / "book" / "figures" / "one.svg"
    path.parent.mkdir(parents=True)
    path.write_text(svg)
    (folder / "book" / "_static").mkdir()
    (folder / "book" / "_static" / "course.css").write_text(
        "html {\n  --fig-ink: #1d2530;\n}\n"
    )
    return site.figure_complaints(folder)


SOUND = (
    '<svg viewBox="0 0 400 90" font-size="14"><title>A</title><desc>B</desc>'
    '<marker id="one-a"/><path fill="none" stroke="var(--fig-ink, #1d2530)"/></svg>'
)


def test_a_sound_figure_has_no_complaints(tmp_path: Path) -> None:
    assert figure(tmp_path, SOUND) == []


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("<title>A</title>", "", "has no <title>"),
        ("<desc>B</desc>", "<desc> </desc>", "has no <desc>"),
        ("400 90", "800 90", "text of 6.1 px on a phone"),
        ('font-size="14"', "", "state a viewBox and a font-size"),
        ("var(--fig-ink, #1d2530)", "#1d2530", "'#1d2530' stays the same in the dark"),
        ("var(--fig-ink, #1d2530)", "black", "stays the same in the dark"),
        ("#1d2530", "#1d2531", "course.css has no --fig-ink #1d2531"),
        ("--fig-ink", "--fig-pen", "course.css has no --fig-pen"),
        ("one-a", "arrow", "the id arrow must begin with one"),
    ],
)
def test_a_poor_figure_is_found(
    tmp_path: Path, old: str, new: str, problem: str
) -> None:
    (found,) = figure(tmp_path, SOUND.replace(old, new))
    assert problem in found


# ----------------------------------------------- the extension, on a book of 3 pages

MIME = "application/vnd.flightline.claims+json"
CLAIM = {
    "statement": "`fit` is fast",
    "source": "folklore",
    "measured": "3 < 4",
    "verdict": "holds when it is small",
    "note": "",
}


METADATA = {
    "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
    "language_info": {"name": "python"},
}


def small_book(folder: Path, claims: list[dict[str, str]]) -> Path:
    """Write a book with a title page, a lab and the claims page, in our settings."""
    shutil.copy(ROOT / "_config.yml", folder)
    shutil.copytree(ROOT / "book" / "_ext", folder / "book" / "_ext")
    shutil.copytree(ROOT / "book" / "_static", folder / "book" / "_static")
    figures = folder / "book" / "figures"
    figures.mkdir()
    (figures / "one.svg").write_text(SOUND)
    (folder / "book" / "references.bib").touch()
    toc = "format: jb-book\nroot: book/index\nchapters:\n"
    toc += "  - file: book/claims\n  - file: labs/01_small\n"
    (folder / "_toc.yml").write_text(toc)
    (folder / "book" / "index.md").write_text(
        '# Small\n\n```{figure} figures/one.svg\n:alt: A "line"\n\nCaption\n```\n'
    )
    (folder / "book" / "claims.md").write_text("# Claims\n\n```{claims}\n```\n")
    source = "def f():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION"
    data = {"text/plain": "shown", MIME: claims}
    output = {"output_type": "display_data", "metadata": {}, "data": data}
    cells = [
        {"cell_type": "markdown", "id": "a", "metadata": {}, "source": "# Lab small"},
        {
            "cell_type": "code",
            "id": "b",
            "metadata": {},
            "source": source,
            "execution_count": 1,
            "outputs": [output],
        },
    ]
    notebook = {
        "cells": cells,
        "metadata": METADATA,
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    (folder / "labs").mkdir()
    (folder / "labs" / "01_small.ipynb").write_text(json.dumps(notebook))
    return folder


def test_the_extension_on_a_small_book(tmp_path: Path) -> None:
    ours = CLAIM | {"source": "the design card"}
    ours |= {"statement": "GPUs", "verdict": "not measured here: it takes a GPU"}
    book = small_book(tmp_path, [CLAIM, ours])
    with (book / "book" / "claims.md").open("a") as page:
        page.write("\nThat GPUs help is {verdict}`01: GPU`.\n")
    built = site.build(book, tmp_path / "out", "https://github.com/someone/course.git")
    assert built.ok, built.problems
    pages = site.read_site(built.html)
    complain(site.link_complaints(built.html, pages))
    complain(site.theme_complaints(pages))
    title, claims = pages["book/index.html"].text, pages["book/claims.html"].text
    lab = pages["labs/01_small.html"].text
    assert '<svg role="img" aria-label="A &quot;line&quot;" viewBox' in title
    assert "https://github.com/someone/course/edit/main/book/index.md" in title
    assert "https://github.com/someone/course/issues/new" in title
    assert "https://github.com/someone/course/edit/main/labs/01_small.ipynb" in lab
    assert "SOLUTION" not in lab
    assert "shown" in lab
    assert 'href="../labs/01_small.html"><span class="doc">Lab small</span>' in claims
    assert '<td class="verdict verdict-holds-when"><p>holds when it is small' in claims
    assert '<span class="pre">fit</span></code> is fast' in claims
    assert "3 &lt; 4" in claims
    assert "<p>our wording: folklore</p>" in claims
    assert "That GPUs help is <em>not measured here: it takes a GPU</em>." in claims
    none = "does not hold here: 0"
    with_source = f"1 (holds: 0; holds when: 0; {none}; not measured here: 1)"
    assert f"Claims with a source: {with_source}" in claims
    own = f"1 (holds: 0; holds when: 1; {none}; not measured here: 0)"
    assert f"Claims in our own wording: {own}" in claims
    assert '<td class="verdict verdict-not-measured-here"><p>not measured' in claims
    download = (built.html / "_sources" / "labs" / "01_small.ipynb").read_text()
    assert "### BEGIN SOLUTION" in download


def search_entries(html: Path) -> dict[str, int]:
    """Count what the search index of a built site holds, by kind."""
    text = (html / "searchindex.js").read_text()
    index = json.loads(text.removeprefix("Search.setIndex(").removesuffix(")"))
    return {kind: len(held) for kind, held in index.items() if isinstance(held, dict)}


def test_a_second_build_keeps_every_entry_of_the_search(tmp_path: Path) -> None:
    (tmp_path / "course").mkdir()  # apart from out/, or Sphinx reads all again
    book = small_book(tmp_path / "course", [CLAIM])
    with (book / "_toc.yml").open("a") as toc:
        toc.write("  - file: book/words\n")
    with (book / "book" / "words.md").open("w") as page:
        page.write(
            "# Words\n\n:::{glossary}\nalias\n  A name.\n\nrank\n  A process.\n:::\n"
        )
    first = search_entries(site.build(book, tmp_path / "out").html)
    assert first["indexentries"] == 2 and first["terms"] > 2
    with (book / "book" / "claims.md").open("a") as page:
        page.write("\nAnother paragraph.\n")
    second = search_entries(site.build(book, tmp_path / "out").html)
    assert second["indexentries"] == 2 and second["terms"] > first["terms"]


def test_warnings_and_poor_claims_fail_the_build(tmp_path: Path) -> None:
    vague = CLAIM | {"verdict": "holds, mostly"}
    nameless = {key: value for key, value in CLAIM.items() if key != "source"}
    book = small_book(tmp_path, [CLAIM, vague, nameless])
    (book / "book" / "index.md").write_text(
        "# Small\n\n{ref}`nowhere` [x](no.md)\n{verdict}`01: nobody`\n"
    )
    built = site.build(book, tmp_path / "out")
    assert not built.ok
    for problem in [
        "undefined label: 'nowhere'",
        "no.md",
        "01_small.ipynb: claim 2: verdict 'holds, mostly' is none of: holds",
        "01_small.ipynb: claim 3 lacks source",
        "0 claims of lab 01 begin with 'nobody', not 1",
    ]:
        assert problem in built.problems
