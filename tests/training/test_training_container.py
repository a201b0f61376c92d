"""The container file, as far as it can be checked without a container engine."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "Containerfile").read_text()


def instructions(text: str) -> list[tuple[str, str]]:
    """Return the instructions of a container file: the word, and what follows it."""
    joined = re.sub(r"\\\n", " ", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE))
    lines = [line.split(maxsplit=1) for line in joined.splitlines() if line.strip()]
    return [(word, " ".join(rest.split())) for word, rest in lines]


STEPS = instructions(TEXT)
KNOWN = {"FROM", "ENV", "RUN", "USER", "WORKDIR", "COPY", "CMD"}


def asked(word: str) -> list[str]:
    return [rest for name, rest in STEPS if name == word]


def test_it_holds_known_instructions_and_says_that_nobody_built_it() -> None:
    assert {word for word, _ in STEPS} <= KNOWN and STEPS[0][0] == "FROM"
    assert "Not built where the course was made" in TEXT


def test_the_base_is_one_full_version_that_the_course_takes() -> None:
    (base,) = asked("FROM")
    version = re.fullmatch(r"python:(\d+)\.(\d+)\.(\d+)-slim-\w+", base)
    assert version, f"{base}: name a full version, no moving tag."
    least = re.search(r"version_info; v >= \((\d+), (\d+), (\d+)\)", read("Makefile"))
    assert least and tuple(map(int, version.groups())) >= tuple(
        map(int, least.groups())
    )


def read(name: str) -> str:
    return (ROOT / name).read_text()


def test_the_versions_are_installed_before_the_code_is_copied() -> None:
    words = [(word, rest) for word, rest in STEPS if word in ("COPY", "RUN")]
    place = [n for n, (_, rest) in enumerate(words) if "pip install" in rest]
    assert len(place) == 1
    copied = [rest for word, rest in words[: place[0]] if word == "COPY"]
    assert copied == ["--chown=reader requirements.txt constraints.txt ./"]
    install = words[place[0]][1]
    assert "--no-cache-dir -r requirements.txt -c constraints.txt" in install
    assert "touch .venv/.ready" in install  # else make would install again
    assert "READY := .venv/.ready" in read("Makefile")


def test_what_it_copies_is_there() -> None:
    for rest in asked("COPY"):
        *sources, _ = [word for word in rest.split() if not word.startswith("--")]
        assert all((ROOT / source).exists() for source in sources), rest


def test_the_process_is_not_root() -> None:
    last = max(n for n, (word, _) in enumerate(STEPS) if word == "USER")
    assert STEPS[last][1] not in ("root", "0")
    system = [n for n, (_, rest) in enumerate(STEPS) if "apt-get" in rest]
    assert max(system) < last, "What needs root comes before USER."


def test_a_layer_keeps_no_package_lists_and_no_secret() -> None:
    for rest in asked("RUN"):
        if "apt-get update" in rest:
            assert "install --yes --no-install-recommends" in rest
            assert "rm -rf /var/lib/apt/lists/*" in rest
        assert "curl" not in rest and "wget" not in rest and "sudo" not in rest
    assert not re.search(r"(?i)(token|password|secret|key)\s*=", TEXT)


def test_the_command_is_one_of_the_makefile() -> None:
    (command,) = asked("CMD")
    words = json.loads(command)
    assert words[0] == "make"
    assert re.search(rf"^{words[1]}:", read("Makefile"), re.MULTILINE)
    threads = re.findall(r"^export (\w+_NUM_THREADS) = 1$", read("Makefile"), re.M)
    assert "OMP_NUM_THREADS" in threads
    assert all(f"{name}=1" in asked("ENV")[0] for name in threads[:2])


def test_what_is_built_here_stays_out_of_the_image() -> None:
    left_out = set(read(".containerignore").split())
    assert {".git", ".venv", "_build", "work"} <= left_out


@pytest.mark.parametrize("bad", ["FROM python:latest", "FROM python:3.11"])
def test_a_moving_tag_would_be_seen(bad: str) -> None:
    ((_, base),) = instructions(bad)
    assert not re.fullmatch(r"python:(\d+)\.(\d+)\.(\d+)-slim-\w+", base)
