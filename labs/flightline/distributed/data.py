"""The training rows as plain tensors, which a rank can read without pandas."""

import hashlib
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypedDict

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

if TYPE_CHECKING:
    import pyarrow as pa

LABEL = "late"


class Examples(NamedTuple):
    """Rows to train on: inputs, one row each, and labels from 0 to 1."""

    inputs: Tensor
    late: Tensor


class Packed(TypedDict):
    """A table as tensors, and what it takes to pack other rows alike."""

    numbers: Tensor
    codes: Tensor
    late: Tensor
    names: list[str]
    values: dict[str, list[str]]
    mean: Tensor
    std: Tensor


def _column(table: "pa.Table", name: str) -> np.ndarray:
    """Return a column as floats, a null as NaN; refuse what is no number."""
    try:
        numbers: np.ndarray = table[name].cast("float64").to_numpy()
    except (NotImplementedError, ValueError) as error:
        kind = table.schema.field(name).type
        raise ValueError(
            f"column {name!r} holds {kind}, which is no number. Turn it into numbers, "
            "or into text for a category."
        ) from error
    if np.isinf(numbers).any():
        raise ValueError(
            f"column {name!r} is infinite in {np.isinf(numbers).sum()} of "
            f"{len(numbers)} rows. Make them null, or mend them."
        )
    return numbers


def _numbers(table: "pa.Table", names: Sequence[str]) -> np.ndarray:
    """Return columns of numbers as one float array; a null is NaN."""
    columns = [_column(table, name) for name in names]
    return np.column_stack(columns) if columns else np.empty((table.num_rows, 0))


def _is_text(table: "pa.Table", name: str) -> bool:
    """Return whether a column holds text, plain or as a dictionary."""
    return "string" in str(table.schema.field(name).type)


def _labels(table: "pa.Table") -> Tensor:
    """Return the labels; refuse a table without them, or with a null."""
    if LABEL not in table.column_names:
        raise ValueError(f"no column {LABEL!r}. The table has: {table.column_names}.")
    if not table.num_rows:
        raise ValueError("the table has no rows. Give at least one.")
    late = _column(table, LABEL)
    if np.isnan(late).any():
        raise ValueError(
            f"{LABEL!r} is null in {np.isnan(late).sum()} of {table.num_rows} rows. "
            "Drop the flights that never landed."
        )
    if late.min() < 0 or late.max() > 1:
        raise ValueError(
            f"{LABEL!r} runs from {late.min():g} to {late.max():g}. Give 0 to 1."
        )
    return torch.tensor(late, dtype=torch.float32)


def _learn(table: "pa.Table") -> Packed:
    """Return names, values, means and spreads of the training rows, and no rows."""
    columns = [name for name in table.column_names if name != LABEL]
    text = [name for name in columns if _is_text(table, name)]
    names = [name for name in columns if name not in text]
    raw = _numbers(table, names)
    known = ~np.isnan(raw)
    count = np.maximum(known.sum(axis=0), 1)  # a column without a number has mean 0
    mean = np.where(known, raw, 0).sum(axis=0) / count
    std = np.sqrt((np.where(known, raw - mean, 0) ** 2).sum(axis=0) / count)
    return {
        "numbers": torch.empty(0, len(names)),
        "codes": torch.empty(0, len(text), dtype=torch.int32),
        "late": torch.empty(0),
        "names": names,
        "values": {
            name: sorted(v for v in table[name].unique().to_pylist() if v is not None)
            for name in text
        },
        "mean": torch.from_numpy(mean),
        "std": torch.from_numpy(np.where(std > 0, std, 1.0)),
    }


def _same_columns(table: "pa.Table", like: Packed) -> None:
    """Refuse rows whose columns are missing, or of another kind, than in training."""
    for name in [*like["names"], *like["values"]]:
        if name not in table.column_names:
            raise ValueError(f"no column {name!r}, which the training rows had.")
        was, now = name in like["values"], _is_text(table, name)
        if was != now:
            kinds = {True: "text", False: "numbers"}
            raise ValueError(
                f"column {name!r} was {kinds[was]} in the training rows and is "
                f"{table.schema.field(name).type} now. Convert it, or pack anew."
            )


def pack(table: "pa.Table", like: Packed | None = None) -> Packed:
    """Turn a table into plain tensors: numbers standardised, text as codes.

    Parameters
    ----------
    table : pyarrow.Table
        Features and the label `late`, which is 0 to 1 in every row. Columns of text
        become codes, all others numbers.
    like : Packed, optional
        What `pack` returned for the training rows: its means, spreads and values are
        used again. Without it they are taken from this table.

    Returns
    -------
    Packed
        `numbers` (float32, a missing one is 0, the mean), `codes` (int32, a missing or
        new value is 0), `late`, and `mean`, `std`, `names`, `values` to pack others
        alike.

    Raises
    ------
    ValueError
        If a label is missing or out of range, a number is infinite, a column is
        neither numbers nor text, or one that the training rows had is missing or of
        another kind.
    """
    late = _labels(table)
    like = like or _learn(table)
    _same_columns(table, like)
    numbers = torch.from_numpy(_numbers(table, like["names"]))
    scaled = ((numbers - like["mean"]) / like["std"]).nan_to_num(0.0).float()
    codes = torch.zeros(len(late), len(like["values"]), dtype=torch.int32)
    for place, (name, values) in enumerate(like["values"].items()):
        number = {value: code for code, value in enumerate(values, start=1)}
        found = [number.get(value, 0) for value in table[name].to_pylist()]
        codes[:, place] = torch.tensor(found, dtype=torch.int32)
    return {
        "numbers": scaled,
        "codes": codes,
        "late": late,
        "names": like["names"],
        "values": like["values"],
        "mean": like["mean"],
        "std": like["std"],
    }


def unpack(packed: Packed, dtype: torch.dtype = torch.float32) -> Examples:
    """Return inputs and labels: codes become one column for each value.

    Parameters
    ----------
    packed : Packed
        What `pack` returns.
    dtype : torch.dtype
        Of inputs and labels.

    Returns
    -------
    inputs, late : Tensor
        One row each, as `Examples`.
    """
    sizes = [len(values) + 1 for values in packed["values"].values()]
    codes = zip(packed["codes"].long().unbind(1), sizes, strict=True)
    wide = [one_hot(code, size) for code, size in codes]
    inputs = torch.cat([packed["numbers"].to(dtype), *(w.to(dtype) for w in wide)], 1)
    return Examples(inputs, packed["late"].to(dtype))


def load_packed(path: str | Path, like: Packed | None = None) -> Packed:
    """Read a Parquet table, or a tensor file that `torch.save(pack(...))` wrote.

    Parameters
    ----------
    path : str or Path
        Ends in .parquet or .pt. A tensor file needs no pyarrow.
    like : Packed, optional
        How to pack a Parquet table; see `pack`.

    Returns
    -------
    Packed
        As `pack` returns it.

    Raises
    ------
    ValueError
        If the file is of another kind, or not what `pack` accepts.
    """
    suffix = Path(path).suffix
    if suffix == ".parquet":
        import pyarrow.parquet as pq

        return pack(pq.read_table(path), like)
    if suffix != ".pt":
        raise ValueError(f"{Path(path).name}: give a .parquet or a .pt file.")
    strange = f"{Path(path).name} is not what `pack` makes. Write it anew."
    try:
        packed: Packed = torch.load(path, weights_only=True)
    except (RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise ValueError(strange) from error
    needed = {"numbers", "codes", "late", "values"}
    if not isinstance(packed, dict) or not needed <= set(packed):
        raise ValueError(strange)
    rows = {len(packed["numbers"]), len(packed["codes"]), len(packed["late"])}
    if len(rows) > 1:
        raise ValueError(f"{strange} Its parts have {sorted(rows)} rows.")
    return packed


def data_digest(packed: Packed) -> str:
    """Return the sha256 of what a training sees of its rows.

    Parameters
    ----------
    packed : Packed
        What `load_packed` returns.

    Returns
    -------
    str
        The same for the same rows in the same order, whatever file they came from.
    """
    content = hashlib.sha256()
    for tensor in (packed["numbers"], packed["codes"].long(), packed["late"]):
        content.update(str(tuple(tensor.shape)).encode())
        content.update(tensor.contiguous().numpy().tobytes())
    content.update(repr(packed["values"]).encode())
    return content.hexdigest()
