"""Open ONNX files as a lab needs them: layer by layer, row by row, byte by byte.

`python -m labkit.latency.onnx_lab FILE` opens a model in this process alone and prints
how much memory that takes.
"""

import re
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import psutil
from flightline.features import NUMERIC
from flightline.training import Predictor, open_model

from labkit import processes, timing

if TYPE_CHECKING:
    import onnxruntime

Int8s = npt.NDArray[np.int8]
Triple = tuple[npt.ArrayLike, npt.ArrayLike, npt.ArrayLike]
Runner = Callable[[int], object]  # scores so many rows


def session(
    content: bytes, *, optimised: bool = True
) -> "onnxruntime.InferenceSession":
    """Open a model with one thread, quietly.

    Parameters
    ----------
    content : bytes
        An ONNX file.
    optimised : bool
        Whether ONNX Runtime may rewrite the graph, as it does by default; else it runs
        it as stored.

    Returns
    -------
    onnxruntime.InferenceSession
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    if not optimised:
        levels = onnxruntime.GraphOptimizationLevel
        options.graph_optimization_level = levels.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(
        content, options, providers=["CPUExecutionProvider"]
    )


def tensors(content: bytes) -> dict[str, np.ndarray]:
    """Return the stored tensors of a model by name."""
    import onnx

    stored = onnx.load_from_string(content).graph.initializer
    return {each.name: onnx.numpy_helper.to_array(each) for each in stored}


def weights(content: bytes) -> list[np.ndarray]:
    """Return the weights of the linear layers, [inputs, outputs], first to last."""
    found = tensors(content)
    names = [name for name in found if re.fullmatch(r".*\blayers\.\d+\.weight", name)]
    return [found[name].T for name in sorted(names)]


def one_node(
    kind: str,
    inputs: Mapping[str, npt.ArrayLike],
    constants: Mapping[str, npt.ArrayLike],
) -> np.ndarray:
    """Run a single ONNX operator in ONNX Runtime.

    Parameters
    ----------
    kind : str
        Such as QLinearMatMul; its output is int8.
    inputs, constants : mapping of str to array
        The operator's inputs, in its order: what is fed, then what is stored.

    Returns
    -------
    numpy.ndarray
        Its only output.
    """
    from onnx import helper, numpy_helper

    out = "y"
    fed = {name: np.asarray(value) for name, value in inputs.items()}
    graph = helper.make_graph(
        [helper.make_node(kind, [*inputs, *constants], [out])],
        "one",
        [
            helper.make_tensor_value_info(
                name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape
            )
            for name, value in fed.items()
        ],
        [
            helper.make_tensor_value_info(
                out, helper.np_dtype_to_tensor_dtype(np.dtype(np.int8)), None
            )
        ],
        [numpy_helper.from_array(np.asarray(v), n) for n, v in constants.items()],
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10
    )
    result: np.ndarray = session(model.SerializeToString()).run(None, fed)[0]
    return result


def qlinear_matmul(x: Int8s, weight: Int8s, scales: Triple, zeros: Triple) -> Int8s:
    """Multiply in integers with ONNX Runtime's own operator.

    Parameters
    ----------
    x : array of int8 [rows, inputs]
    weight : array of int8 [inputs, outputs]
    scales, zeros : tuple of three
        Of input, weight and output; the weight's may be one for each output.

    Returns
    -------
    array of int8 [rows, outputs]
    """
    wide = np.asarray(scales[1], np.float32)
    stored: dict[str, npt.ArrayLike] = {
        "x_scale": np.asarray(scales[0], np.float32),
        "x_zero": np.asarray(zeros[0], np.int8),
        "weight": weight,
        "weight_scale": wide,
        "weight_zero": np.full(wide.shape, zeros[1], np.int8),
        "y_scale": np.asarray(scales[2], np.float32),
        "y_zero": np.asarray(zeros[2], np.int8),
    }
    return one_node("QLinearMatMul", {"x": x}, stored)


class FirstLayer(NamedTuple):
    """What the first layer of a quantized model takes, and what comes out of it."""

    x: Int8s
    weight: Int8s
    scales: Triple
    zeros: Triple
    bias: npt.NDArray[np.int32]
    y: Int8s


def first_layer(model: Predictor, table: pd.DataFrame) -> FirstLayer:
    """Take the first layer out of a statically quantized model, and what it does.

    Parameters
    ----------
    model : Predictor
        From `quantize_model` with the static method.
    table : DataFrame with FEATURES

    Returns
    -------
    FirstLayer
        Weight, steps and bias as stored, the floor of its ReLU as its own; and what
        goes in and comes out of it in ONNX Runtime, for these rows.
    """
    import onnx

    proto, stored = onnx.load_from_string(model.content), tensors(model.content)
    nodes = proto.graph.node
    made_by = {name: node for node in nodes for name in node.output}
    gemm = next(node for node in nodes if node.op_type == "Gemm")
    x, weight, bias = (made_by[name] for name in gemm.input)  # DequantizeLinear
    after = {name: node for node in nodes for name in node.input}[gemm.output[0]]
    if after.op_type != "QuantizeLinear":
        raise ValueError(f"the first layer ends in {after.op_type}. Quantize its ReLU.")
    ends = [x.input[0], after.output[0]]
    for name in ends:
        kind = onnx.TensorProto.INT8
        proto.graph.output.append(onnx.helper.make_tensor_value_info(name, kind, None))
    found = session(proto.SerializeToString()).run(ends, feeds(model, table))
    scales = [stored[each.input[1]] for each in (x, weight, after)]
    zeros = [stored[each.input[2]].astype(np.int32) for each in (x, weight, after)]
    return FirstLayer(
        found[0],
        stored[weight.input[0]].T,
        (scales[0], scales[1], scales[2]),
        (zeros[0], zeros[1], zeros[2]),
        stored[bias.input[0]],
        found[1],
    )


def feeds(model: Predictor, table: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return what a network's session takes for a table with FEATURES."""
    transform = model.transform
    return {"categorical": transform.codes(table), "numeric": transform.numbers(table)}


def runner(model: Predictor, table: pd.DataFrame, *, optimised: bool = True) -> Runner:
    """Return a function that scores the first n rows of a prepared table.

    The features are ready: what is left is the model and its library.

    Parameters
    ----------
    model : Predictor
        A network, or LightGBM.
    table : DataFrame with FEATURES
    optimised : bool
        As for `session`; only for a network.
    """
    if model.kind == "lightgbm":
        import lightgbm

        booster = lightgbm.Booster(model_str=model.content.decode())
        matrix = model.transform.matrix(table)
        return lambda n: booster.predict(matrix[:n], num_threads=1)
    opened_ = session(model.content, optimised=optimised)
    feed = feeds(model, table)
    return lambda n: opened_.run(None, {name: rows[:n] for name, rows in feed.items()})


def row_function(
    model: Predictor, table: pd.DataFrame
) -> Callable[[Sequence[int]], list[float]]:
    """Return a function that scores rows of a prepared table by their places.

    Parameters
    ----------
    model : Predictor
        A network.
    table : DataFrame with FEATURES
    """
    opened_, feed = session(model.content), feeds(model, table)

    def score(places: Sequence[int]) -> list[float]:
        rows = np.asarray(places)
        part = {name: values[rows] for name, values in feed.items()}
        return list(opened_.run(None, part)[0])

    return score


def unscaled(
    model: Predictor, *tables: pd.DataFrame
) -> tuple[Predictor | pd.DataFrame, ...]:
    """Fold the standardisation into the first layer, so that a network takes raw rows.

    Parameters
    ----------
    model : Predictor
        A network.
    *tables : DataFrame with FEATURES

    Returns
    -------
    tuple
        The network with the same function of raw features, and the tables with their
        missing numbers replaced by the training mean, as the transform did.
    """
    import onnx

    old = model.transform
    mean, scale = (np.array(old.scaling[name]) for name in ("mean", "scale"))
    proto = onnx.load_from_string(model.content)
    stored = {each.name.partition(".")[2]: each for each in proto.graph.initializer}
    weight, bias = (
        onnx.numpy_helper.to_array(stored[f"layers.0.{kind}"]).astype(float)
        for kind in ("weight", "bias")
    )
    wide = len(NUMERIC)
    raw = weight[:, -wide:] / scale
    weight = np.hstack([weight[:, :-wide], raw])
    for kind, value in {"weight": weight, "bias": bias - raw @ mean}.items():
        old_tensor = stored[f"layers.0.{kind}"]
        value = value.astype(np.float32)
        old_tensor.CopyFrom(onnx.numpy_helper.from_array(value, old_tensor.name))
    same = {"mean": [0.0] * wide, "scale": [1.0] * wide}
    transform = replace(old, scaling={**old.scaling, **same})
    opened_ = open_model(
        proto.SerializeToString(), model.kind, transform, name=f"{model.name}_raw"
    )
    means = dict(zip(NUMERIC, mean, strict=True))
    return opened_, *(table.fillna(means) for table in tables)


def by_batch(
    runners: Mapping[str, Runner],
    sizes: Sequence[int] = (1, 8, 32, 128, 512, 2048),
    repeats: int = 15,
    *,
    narrow: float = float("inf"),
    most: int = 0,
) -> pd.DataFrame:
    """Time runners on batches, in turns, so that a slow moment meets all alike.

    Parameters
    ----------
    runners : mapping of str to callable
        From `runner`, by name.
    sizes : sequence of int
        Rows in a batch.
    repeats : int
        Rounds; small batches get six times as many.
    narrow, most
        As for `timing.compare`; `most` counts as `repeats` does.

    Returns
    -------
    DataFrame
        Median milliseconds; one row a size, one column a runner.
    """
    rows = {}
    for size in sizes:
        pieces = {name: partial(run, size) for name, run in runners.items()}
        more = 6 if size <= 128 else 1
        found = timing.compare(pieces, more * repeats, narrow=narrow, most=more * most)
        rows[size] = found["median_ms"]
    return pd.DataFrame(rows).T.rename_axis("rows")


def alone(
    runners: Mapping[str, Runner],
    sizes: Sequence[int],
    *,
    seconds: float = 0.05,
    rounds: int = 5,
) -> pd.DataFrame:
    """Time runners one after the other, each with nothing else between its calls.

    Parameters
    ----------
    runners : mapping of str to callable
        From `runner`, by name.
    sizes : sequence of int
        Rows in a batch.
    seconds, rounds
        How long each calls its model before the next one may, at least three calls;
        and how often each gets its turn.

    Returns
    -------
    DataFrame
        Milliseconds: the median over the rounds of the median of a turn; one row a
        size, one column a runner.
    """
    rows = {}
    for size in sizes:
        turns: dict[str, list[float]] = {name: [] for name in runners}
        for _ in range(rounds):
            for name, run in runners.items():
                run(size)
                times: list[float] = []
                while len(times) < 3 or sum(times) < 1000 * seconds:
                    times += timing.each_ms(run, [size])
                turns[name].append(float(np.median(times)))
        rows[size] = {name: float(np.median(found)) for name, found in turns.items()}
    return pd.DataFrame(rows).T.rename_axis("rows")


def memory_mib(content: bytes) -> float:
    """Return the memory that a model takes in a process of its own, in MiB.

    Opening the library is not counted; opening the model and scoring 256 rows is.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        path.write_bytes(content)
        with processes.Child(
            processes.module("labkit.latency.onnx_lab", path)
        ) as child:
            child.wait()
            return float(child.log().split()[-1])


def resident_mib() -> float:
    """Return the resident memory of this process in MiB."""
    return float(psutil.Process().memory_info().rss) / 2**20


def main(arguments: Sequence[str] | None = None) -> int:
    """Open the model that is named and print its memory."""
    (path,) = sys.argv[1:] if arguments is None else arguments
    content = Path(path).read_bytes()
    feed = {"categorical": np.zeros((256, 3), np.int64)}
    feed["numeric"] = np.zeros((256, len(NUMERIC)), np.float32)
    import onnxruntime  # noqa: F401  the library itself is not counted

    before = resident_mib()
    opened_ = session(content)
    for _ in range(3):
        opened_.run(None, feed)
    sys.stdout.write(f"{resident_mib() - before:.2f}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
