"""The command line: exit codes, one line for what went wrong, a run that goes on."""

import shutil
from pathlib import Path

import pytest
from flightline import lake, loop
from flightline.loop import __main__ as command
from flightline.loop import permits


@pytest.fixture
def folder(eight_days: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(eight_days, tmp_path / "run"))


def ask(*arguments: object) -> int:
    return command.main([str(each) for each in arguments])


def test_status_says_where_it_stands(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask("status", folder) == 0
    said = capsys.readouterr().out
    assert "last step 2013-04-02 04:00:00+00:00" in said and "promoted" in said


def test_page_metrics_rules_and_trace(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask("page", folder, "--html", tmp_path / "p.html") == 0
    assert (tmp_path / "p.html").read_text().startswith("<!DOCTYPE html>")
    assert ask("metrics", folder) == 0
    assert "flightline_answers_total" in capsys.readouterr().out
    assert ask("rules", tmp_path / "rules") == 0
    assert len(list((tmp_path / "rules").iterdir())) == 1
    with loop.journal.reading(folder) as base:
        flight = loop.journal.read_answers(base)["id"][0]
    capsys.readouterr()
    assert ask("trace", folder, flight) == 0
    assert flight in capsys.readouterr().out


def test_retain_lists_first(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ask("retain", folder) == 0
    assert "0 would go" in capsys.readouterr().out
    assert ask("retain", folder, "--apply") == 0


def test_forget_erases_and_tells(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tail = lake.read(folder / "lake", "schedule")["tailnum"].mode()[0]
    assert ask("forget", folder, "tailnum", tail) == 0
    said = capsys.readouterr().out.splitlines()
    assert sorted(line.partition(":")[0] for line in said) == [
        "arrivals",
        "departures",
        "schedule",
    ]
    for table in ("arrivals", "departures", "schedule"):
        assert not (lake.read(folder / "lake", table)["tailnum"] == tail).any()
    assert ask("forget", folder, "flight_id", "X") == 2
    assert "not erased by itself" in capsys.readouterr().err


def test_permit_and_promote(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask("permit", folder, "maya") == 0
    key = capsys.readouterr().out.split()[-1]
    with loop.journal.reading(folder) as base:
        name = loop.standing_of(loop.journal.read_decisions(base)).former.name
    assert ask("promote", folder, name, "--why", "the new one is worse") == 2
    assert "may not promote" in capsys.readouterr().err
    monkeypatch.setenv(command.KEY, key)
    assert ask("promote", folder, name, "--why", "the new one is worse") == 0
    assert (folder / permits.ORDER).is_file()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["status", "nowhere"], "loop: nowhere holds no run"),
        (["trace", "FOLDER", "X"], "loop: 'X' has no answer"),
        (["run", "FOLDER", "--until", "someday"], "loop: "),
        (["run", "FOLDER", "--until", "2013-04-02", "--data", "no"], "no SHA256SUMS"),
        (["page", "nowhere"], "holds no run"),
        (["nothing"], "invalid choice"),
    ],
)
def test_what_goes_wrong_is_one_line(
    arguments: list[str],
    said: str,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = [str(folder) if each == "FOLDER" else each for each in arguments]
    try:
        code = ask(*given)
    except SystemExit as left:
        code = int(str(left.code))
    told = capsys.readouterr().err
    assert code == 2 and said in told and told.count("\n") == 1


def test_a_damaged_journal_is_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / loop.journal.NAME
    path.write_bytes(b"x" * 5_000)
    assert ask("status", folder) == 2
    assert "is damaged" in capsys.readouterr().err
