"""Photograph pages of the built site: two widths, light and dark.

`python -m tools.book.screenshots OUT_DIR [page ...]` takes the pages named, as
`book/01_lifecycle`, or all of them, from `_build/html` as `make book` left it.
"""

import argparse
from pathlib import Path

from tools.book import browser
from tools.book.site import HTML, read_site


def photograph(
    html: Path, out: Path, pages: list[str], chromium: str, full_page: bool = True
) -> list[Path]:
    """Write one PNG for each page, width and colour scheme.

    Parameters
    ----------
    html : Path
        The folder with the built site.
    out : Path
        The folder for the pictures; it is made when it is missing.
    pages : list of str
        Names of pages, with or without `.html`.
    chromium : str
        The path of the browser.
    full_page : bool, default True
        Whether to take the whole page, or only the first screen of it.

    Returns
    -------
    list of Path
        The pictures: `book-01_lifecycle-phone-dark.png` and so on.
    """
    out.mkdir(parents=True, exist_ok=True)
    pictures = []
    with browser.serve(html) as address, browser.chromium(chromium) as program:
        for kind, width in browser.WIDTHS.items():
            for scheme in browser.SCHEMES:
                with browser.window(program, address, width, scheme) as visit:
                    for page in pages:
                        name = page.removesuffix(".html")
                        browser.open_page(visit, f"{address}/{name}.html")
                        path = out / f"{name.replace('/', '-')}-{kind}-{scheme}.png"
                        visit.page.screenshot(path=path, full_page=full_page)
                        pictures.append(path)
    return pictures


def main() -> None:
    """Take the pictures that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, help="folder for the pictures")
    parser.add_argument("pages", nargs="*", help="such as book/01_lifecycle")
    parser.add_argument("--html", type=Path, default=HTML, help="the built site")
    parser.add_argument("--top", action="store_true", help="only the first screen")
    arguments = parser.parse_intermixed_args()
    path = browser.find_chromium()
    if path is None:
        parser.error("no Chromium on PATH; install one, or set CHROMIUM to its path")
    known = [name for name in read_site(arguments.html) if name != "index.html"]
    pages = [f"{page.removesuffix('.html')}.html" for page in arguments.pages]
    unknown = sorted(set(pages) - set(known))
    if unknown:
        parser.error(f"no such page: {', '.join(unknown)}. There are {known}.")
    pages = pages or known
    whole = not arguments.top
    for picture in photograph(arguments.html, arguments.out, pages, path, whole):
        print(picture)


if __name__ == "__main__":
    main()
