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
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
from flightline import latency, training
from flightline.features import FEATURES, NUMERIC
from flightline.latency import Int8Layer
from flightline.training import Predictor, make_mlp, open_model

from labkit import processes, timing
from labkit.latency import paired

if TYPE_CHECKING:
    import onnxruntime
    import torch

Int8s = npt.NDArray[np.int8]
Runner = Callable[[int], object]  # scores so many rows

# How a weight gets its steps: symmetric or not, and the axis of the scales.
SCHEMES: dict[tuple[str, str], tuple[bool, int | None]] = {
    ("symmetric", "tensor"): (True, None),
    ("symmetric", "channel"): (True, 1),
    ("affine", "tensor"): (False, None),
    ("affine", "channel"): (False, 1),
}


def session(content: bytes) -> "onnxruntime.InferenceSession":
    """Open a model with one thread, quietly.

    Parameters
    ----------
    content : bytes
        An ONNX file.

    Returns
    -------
    onnxruntime.InferenceSession
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
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
        Such as QLinearMatMul.
    inputs, constants : mapping of str to array
        The operator's inputs, in its order: what is fed, then what is stored.

    Returns
    -------
    numpy.ndarray
        Its only output.
    """
    from onnx import helper, numpy_helper

    out = "y"
    whole = {"MatMulInteger": np.int32}.get(kind, np.int8)
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
                out, helper.np_dtype_to_tensor_dtype(np.dtype(whole)), None
            )
        ],
        [numpy_helper.from_array(np.asarray(v), n) for n, v in constants.items()],
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10
    )
    result: np.ndarray = session(model.SerializeToString()).run(None, fed)[0]
    return result


def runtime_layer(x: np.ndarray, layer: "Int8Layer") -> tuple[np.ndarray, np.ndarray]:
    """Apply a layer with ONNX Runtime's own operators.

    Parameters
    ----------
    x : array of int8 [rows, inputs]
    layer : Int8Layer
        Without bias: neither operator has one.

    Returns
    -------
    sums : array of int32
        From MatMulInteger.
    result : array of int8
        From QLinearMatMul.
    """
    scale = np.asarray(layer.weight_scale, np.float32)
    zero = np.broadcast_to(np.asarray(layer.weight_zero, np.int8), scale.shape).copy()
    x_zero, y_zero = np.int8(layer.x_zero), np.int8(layer.y_zero)
    fed = {"x": x}
    sums = one_node("MatMulInteger", fed, {"w": layer.weight, "xz": x_zero, "wz": zero})
    stored: dict[str, npt.ArrayLike]
    stored = {"xs": np.float32(layer.x_scale), "xz": x_zero, "w": layer.weight}
    stored |= {"ws": scale, "wz": zero, "ys": np.float32(layer.y_scale), "yz": y_zero}
    return sums, one_node("QLinearMatMul", fed, stored)


def opened(
    model: "Predictor", tables: pd.DataFrame
) -> tuple["Int8Layer", Int8s, Int8s]:
    """Take the first layer out of a statically quantized model, and what it does.

    Parameters
    ----------
    model : Predictor
        From `quantize_model` with the static method.
    tables : DataFrame with FEATURES

    Returns
    -------
    layer : Int8Layer
        With the stored weights, scales and bias, and the ReLU's floor as its own.
    x, y : array of int8
        What goes in and comes out of it in ONNX Runtime, for these rows.
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
    found = session(proto.SerializeToString()).run(ends, feeds(model, tables))
    layer = Int8Layer(
        stored[weight.input[0]].T,
        stored[weight.input[1]],
        np.float32(stored[x.input[1]]),
        int(stored[x.input[2]]),
        np.float32(stored[after.input[1]]),
        int(stored[after.input[2]]),
        stored[bias.input[0]],
    )
    return layer, *found


def requantized(
    layer: "Int8Layer", weight: np.ndarray, symmetric: bool, axis: int | None
) -> "Int8Layer":
    """Return a layer with another weight on other steps, and no bias.

    Parameters
    ----------
    layer : Int8Layer
        Its input and output steps are kept; the output gets a zero point of 3.
    weight : array of float [inputs, outputs]
    symmetric, axis
        As for `latency.scale_for`.
    """
    scale, zero = latency.scale_for(weight, symmetric=symmetric, axis=axis)
    steps = latency.quantize_linear(weight, scale, zero, axis=axis)
    return latency.Int8Layer(
        steps, scale, layer.x_scale, layer.x_zero, layer.y_scale, 3, None, zero
    )


def sizes(
    models: Mapping[str, "Predictor"], table: pd.DataFrame
) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """Score a table with each model; return file sizes with counts, and the scores.

    Parameters
    ----------
    models : mapping of str to Predictor
    table : DataFrame with FEATURES

    Returns
    -------
    DataFrame
        `KiB` of the file, and how many `different scores` the rows get.
    dict of array
        The scores by model.
    """
    scores = {name: model.predict(table) for name, model in models.items()}
    kib = {name: round(len(model.content) / 1024) for name, model in models.items()}
    different = {name: len(np.unique(score)) for name, score in scores.items()}
    return pd.DataFrame({"KiB": kib, "different scores": different}), scores


def prices(
    models: Mapping[str, "Predictor"],
    scores: Mapping[str, np.ndarray],
    table: pd.DataFrame,
    alone: int = 200,
) -> pd.DataFrame:
    """Compare variants of a model with the first: AUC, single scores, company.

    Parameters
    ----------
    models, scores : mappings
        By name, the scores of the table.
    table : DataFrame
        With FEATURES, `late` and `sched_dep_utc`.
    alone : int
        So many rows are scored one at a time, too.

    Returns
    -------
    DataFrame
        One row a model: `AUC`; its `difference` to the first, with a 95% interval
        (`low`, `high`) from days drawn anew; the `largest change` of a score; and how
        far scores `alone or in a batch` are apart.
    """
    late, day = training.labels(table), training.days(table)
    first, rows = next(iter(scores.values())), {}
    for name, model in models.items():
        single = [model.predict(table.iloc[[n]])[0] for n in range(alone)]
        gap = paired.auc_difference(first, scores[name], late, day)
        rows[name] = {
            "AUC": training.auc(scores[name], late),
            "difference": gap["value"],
            "low": gap["low"],
            "high": gap["high"],
            "largest change": np.abs(scores[name] - first).max(),
            "alone or in a batch": np.abs(single - scores[name][:alone]).max(),
        }
    return pd.DataFrame(rows).T


def feeds(model: "Predictor", table: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return what a network's session takes for a table with FEATURES."""
    transform = model.transform
    return {"categorical": transform.codes(table), "numeric": transform.numbers(table)}


def runner(model: "Predictor", table: pd.DataFrame) -> Runner:
    """Return a function that scores the first n rows of a prepared table.

    The features are ready: what is left is the model and its library.

    Parameters
    ----------
    model : Predictor
        A network, or LightGBM.
    table : DataFrame with FEATURES
    """
    if model.kind == "lightgbm":
        import lightgbm

        booster = lightgbm.Booster(model_str=model.content.decode())
        matrix = model.transform.matrix(table)
        return lambda n: booster.predict(matrix[:n], num_threads=1)
    opened_, feed = session(model.content), feeds(model, table)
    return lambda n: opened_.run(None, {name: rows[:n] for name, rows in feed.items()})


def torch_runner(model: "Predictor", table: pd.DataFrame) -> Runner:
    """Return the same for the same network in PyTorch, eager, with the same weights.

    Parameters
    ----------
    model : Predictor
        The network that the course trains.
    table : DataFrame with FEATURES
    """
    import torch

    net = torch_twin(model)
    feed = {name: torch.from_numpy(rows) for name, rows in feeds(model, table).items()}

    def run(n: int) -> np.ndarray:
        with torch.inference_mode():
            return torch.sigmoid(net(*(rows[:n] for rows in feed.values()))).numpy()

    return run


def row_function(
    model: "Predictor", table: pd.DataFrame
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


def table_function(
    model: "Predictor", table: pd.DataFrame
) -> Callable[[Sequence[int]], list[float]]:
    """Return a function that scores rows by their places, as the service does.

    Each call takes the rows out of the table and hands a table to `predict`.

    Parameters
    ----------
    model : Predictor
    table : DataFrame with FEATURES
    """
    rows = table[FEATURES]
    return lambda places: list(model.predict(rows.take(list(places))))


def unscaled(
    model: "Predictor", *tables: pd.DataFrame
) -> tuple["Predictor | pd.DataFrame", ...]:
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


def torch_twin(model: "Predictor") -> "torch.nn.Module":
    """Return the network of an ONNX file as a PyTorch module."""
    import torch

    found = {
        name.partition(".")[2]: torch.from_numpy(value.copy())
        for name, value in tensors(model.content).items()
        if re.search(r"\.(embed|layers)\.", name)
    }
    hidden = [weight.shape[1] for weight in weights(model.content)[:-1]]
    net = make_mlp(model.transform.sizes, hidden)
    net.load_state_dict(found)
    return net.eval()


def by_batch(
    runners: Mapping[str, Runner],
    sizes: Sequence[int] = (1, 8, 32, 128, 512, 2048),
    repeats: int = 15,
) -> pd.DataFrame:
    """Time runners on batches, in turns, so that a slow moment meets all alike.

    Parameters
    ----------
    runners : mapping of str to callable
        From `runner`, by name.
    sizes : sequence of int
        Rows in a batch.
    repeats : int
        Rounds; small batches get more.

    Returns
    -------
    DataFrame
        Median milliseconds; one row a size, one column a runner.
    """
    rows = {}
    for size in sizes:
        pieces = {name: partial(run, size) for name, run in runners.items()}
        rounds = repeats * (6 if size <= 128 else 1)
        rows[size] = timing.compare(pieces, rounds)["median_ms"]
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


def resident_mib(pid: int | str = "self") -> float:
    """Return the resident memory of a process in MiB; NaN where it is not told."""
    status = Path(f"/proc/{pid}/status")
    lines = status.read_text().splitlines() if status.exists() else []
    found = [line.split()[1] for line in lines if line.startswith("VmRSS:")]
    return int(found[0]) / 1024 if found else float("nan")


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
