"""Exit codes and text files: 1 means findings, 2 is one line; nothing is guessed."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from flightline.drift import __main__ as command

LABS = Path(__file__).resolve().parents[2] / "labs"


@pytest.fixture
def run(tmp_path, capsys):
    """Write two tables, compare them, and return exit code, output and errors."""

    def compare(before, after, *arguments, suffix=".csv"):
        paths = [tmp_path / f"{name}{suffix}" for name in ("before", "after")]
        for path, table in zip(paths, (before, after), strict=True):
            if suffix == ".csv":
                table.to_csv(path, index=False)
            else:
                table.to_parquet(path)
        code = command.main(["compare", *map(str, paths), *arguments])
        return code, *capsys.readouterr()

    return compare


def numbers(rows, seed):
    rng = np.random.default_rng(seed)
    return pd.DataFrame({"x": rng.standard_normal(rows)})


# --- failures -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ["--html", "none/page.html"],
        ["--prometheus", "none/drift.prom"],
        ["--store", "none/m.sqlite"],
        ["--store", "m.sqlite", "--at", "noon"],
        ["--store", "m.sqlite", "--at", "2013-07-01"],
        ["--alpha", "nan"],
        ["--alpha", "0"],
        ["--bins", "1"],
        ["--bins", "-3"],
        ["--blocks", "none"],
    ],
)
def test_every_failure_is_2_and_one_line(run, arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, _, said = run(numbers(200, 0), numbers(200, 1) + 9, *arguments)
    assert code == 2
    assert said.startswith("drift: ") and said.count("\n") == 1


@pytest.mark.parametrize(
    "text", [b"", b"\x00\xff\xfe", b"a,b\n1,2,3\n4,5,6\n", b"a\n1\n1,2\n"]
)
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_file_that_cannot_be_read_is_2(text, suffix, tmp_path, capsys):
    path = tmp_path / f"torn{suffix}"
    path.write_bytes(text)
    assert command.main(["compare", str(path), str(path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments", [[], ["compare"], ["compare", "a", "b", "--bins", "x"], ["x"]]
)
def test_bad_arguments_are_2_and_one_line(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        command.main(arguments)
    said = capsys.readouterr().err
    assert stopped.value.code == 2 and said.count("\n") == 1


def test_a_list_column_is_no_crash(run):
    table = numbers(200, 0).assign(tags=[["a", "b"]] * 200)
    code, out, said = run(table, table, suffix=".parquet")
    assert (code, said) == (0, "") and "left out: 'tags' holds lists" in out


def test_findings_are_told_even_if_a_page_cannot_be_written(run):
    code, out, _ = run(numbers(200, 0), numbers(200, 1) + 9, "--html", "/none/x.html")
    assert code == 2 and "INVESTIGATE x" in out


def test_an_output_that_nobody_reads_is_2(tmp_path):
    for name, shift in (("a", 0), ("b", 9)):
        (numbers(200, 0) + shift).to_csv(tmp_path / f"{name}.csv", index=False)
    line = f"{sys.executable} -m flightline.drift compare a.csv b.csv | true; "
    done = subprocess.run(
        ["bash", "-c", line + "echo ${PIPESTATUS[0]}"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(LABS)},
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() in ("1", "2") and done.stderr.count("\n") <= 1


# --- text files -----------------------------------------------------------------------


def test_a_code_is_one_type_in_both_files(run):
    rng = np.random.default_rng(1)
    digits = pd.DataFrame({"code": rng.integers(1, 9, 400).astype(str)})
    letter = digits.copy()
    letter.loc[0, "code"] = "A"
    for sides in ((digits, letter), (letter, digits)):
        code, out, _ = run(*sides)
        assert code == 0, out
    many = digits.assign(code=digits["code"].mask(digits.index < 100, "A"))
    code, out, _ = run(digits, many)
    assert code == 1 and "code" in out and "changed type" not in out


def test_the_category_na_is_no_null(run):
    before = pd.DataFrame({"zone": ["NA", "EU", "AS", "None"] * 100})
    after = pd.DataFrame({"zone": ["EU", "NA", "None", "AS"] * 100})
    assert run(before, after)[0] == 0
    code, out, _ = run(before, after.assign(zone=after["zone"].replace("NA", "")))
    assert code == 1 and "zone: nulls 25" in out


def test_codes_keep_their_zeros(run):
    before = pd.DataFrame({"zip": ["007", "08", "8", "100"] * 100})
    after = before.assign(zip=before["zip"].replace("08", "8"))
    code, out, _ = run(before, after)
    assert code == 1
    assert re.search(r"\b0?8: 25.0% of the rows before", out), out


def test_dates_as_texts_are_left_out_with_a_sentence(run):
    dates = [f"2013-07-{1 + k % 28:02d}" for k in range(400)]
    before = numbers(400, 0).assign(seen=dates)
    after = numbers(400, 1).assign(seen=[d.replace("07", "08", 1) for d in dates])
    code, out, _ = run(before, after)
    assert code == 0 and "left out: 'seen' holds times" in out


def test_numbers_with_nulls_are_numbers(run):
    before, after = numbers(400, 0), numbers(400, 1)
    after = after.assign(x=after["x"].astype(str).mask(after.index < 3, "NA"))
    assert run(before, after)[0] == 0
    code, out, _ = run(before, after.assign(x=after["x"].mask(after.index == 9, "bad")))
    assert code == 1 and "x: changed type" in out


def test_labels_in_a_text_file_are_judged(run):
    def scored(days, seed, gap):
        rng = np.random.default_rng(seed)
        score = rng.beta(2, 4, 100 * days)
        late = rng.random(len(score)) < np.clip(score + gap, 0, 1)
        day = np.repeat([f"d{seed}-{d}" for d in range(days)], 100)
        return pd.DataFrame({"score": score, "late": late, "date": day})

    for kind in (bool, int):
        sides = [
            scored(d, s, g).astype({"late": kind})
            for d, s, g in ((20, 1, 0), (10, 2, 0.3))
        ]
        code, out, said = run(*sides, "--blocks", "date")
        assert code == 1 and "RETRAIN the model's gap" in out, out + said
