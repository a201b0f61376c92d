"""Quantization: integers equal to ONNX Runtime's, and models that say what they are."""

import numpy as np
import pytest
from flightline import latency, training
from flightline.latency import core
from labkit.data import MODELS
from labkit.latency import onnx_lab
from random_rows import random_rows


@pytest.fixture(scope="module")
def fp32():
    return training.load_model(MODELS, "delay_mlp")


@pytest.fixture(scope="module")
def table():
    return random_rows(600)


@pytest.fixture(scope="module")
def int8(fp32):
    return latency.quantize_model(fp32, random_rows(1024, seed=1), version="2")


# --- steps and scales -----------------------------------------------------------------


@pytest.mark.parametrize(("scale", "zero"), [(1.0, 0), (0.013, 9), (3.7, -100)])
def test_steps_equal_onnx_runtime(scale, zero):
    x = np.random.default_rng(0).normal(0, 9, (200, 7)).astype(np.float32)
    x[0] = [0.5, 1.5, 2.5, -0.5, -1.5, 1e9, -1e9]
    constants = {"s": np.float32(scale), "z": np.int8(zero)}
    theirs = onnx_lab.one_node("QuantizeLinear", {"x": x}, constants)
    assert np.array_equal(latency.quantize_linear(x, scale, zero), theirs)


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("axis", [None, 0, 1, -1])
def test_a_value_in_range_is_off_by_half_a_step_at_most(symmetric, axis):
    x = np.random.default_rng(1).gamma(1, 2, (40, 6)).astype(np.float32)
    scale, zero = latency.scale_for(x, symmetric=symmetric, axis=axis)
    q = latency.quantize_linear(x, scale, zero, axis=axis)
    back = latency.dequantize_linear(q, scale, zero, axis=axis)
    room = core.along(scale, 2, axis) * (0.5 if symmetric else 1.0)
    assert (np.abs(back - x) <= room * 1.001).all()
    zeros = latency.quantize_linear(np.zeros_like(x), scale, zero, axis=axis)
    assert (latency.dequantize_linear(zeros, scale, zero, axis=axis) == 0).all()


def test_symmetric_steps_leave_out_the_last_one():
    q = latency.quantize_linear([-5.0, 5.0], *latency.scale_for([-5.0, 5.0]))
    assert q.tolist() == [-127, 127]


def test_affine_steps_span_both_types():
    for dtype, ends in latency.LIMITS.items():
        scale, zero = latency.scale_for([0.0, 7.0], symmetric=False, dtype=dtype)
        q = latency.quantize_linear([0.0, 7.0], scale, zero, dtype=dtype)
        assert tuple(q.tolist()) == ends and q.dtype == dtype


def test_a_tensor_of_zeros_keeps_its_zeros():
    scale, zero = latency.scale_for(np.zeros((3, 2)), axis=1)
    assert scale.tolist() == [1, 1] and zero.tolist() == [0, 0]


@pytest.mark.parametrize("bad", [[np.nan], [np.inf], []])
def test_no_scale_for_what_is_not_finite(bad):
    with pytest.raises(ValueError, match="finite"):
        latency.scale_for(bad)


def test_symmetric_needs_a_signed_type():
    with pytest.raises(ValueError, match="uint8"):
        latency.scale_for([1.0], dtype="uint8")


@pytest.mark.parametrize(
    ("x", "scale", "word"), [([np.nan], 1.0, "NaN"), ([1.0], 0.0, "scale")]
)
def test_no_step_for_nan_and_no_step_without_width(x, scale, word):
    with pytest.raises(ValueError, match=word):
        latency.quantize_linear(x, scale)


# --- a layer --------------------------------------------------------------------------


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("axis", [None, 1])
@pytest.mark.parametrize("rows", [1, 200])
def test_a_layer_equals_onnx_runtime_to_the_last_integer(symmetric, axis, rows):
    chance = np.random.default_rng(2)
    w = chance.normal(0.1, 1, (46, 64)).astype(np.float32)
    x = chance.gamma(1, 3, (rows, 46)).astype(np.float32)
    scale, zero = latency.scale_for(w, symmetric=symmetric, axis=axis)
    x_scale, x_zero = latency.scale_for(x, symmetric=False)
    weight = latency.quantize_linear(w, scale, zero, axis=axis)
    q = latency.quantize_linear(x, x_scale, x_zero)
    scales, zeros = (x_scale, scale, 0.31), (x_zero, zero, -7)
    result = onnx_lab.qlinear_matmul(q, weight, scales, zeros)
    assert np.array_equal(core.int8_linear(q, weight, scales, zeros), result)
    y = latency.dequantize_linear(result, 0.31, -7)
    inside = np.abs(result.astype(int)) < 120
    assert np.corrcoef(y[inside], (x @ w)[inside])[0, 1] > 0.99


def test_the_first_layer_of_the_model_equals_onnx_runtime(int8, table):
    *given, y = onnx_lab.first_layer(int8, table)
    assert given[0].shape == (600, 43) and y.shape == (600, 512)
    assert np.array_equal(core.int8_linear(*given), y)
    assert y.min() < y.max()


def test_a_layer_by_hand():
    weight, bias = np.array([[2], [-3]], np.int8), [10]
    x = np.array([[9, 1], [1, 11], [127, -128]], np.int8)
    found = core.int8_linear(x, weight, (1.0, 0.5, 4.0), (1, 0, -2), bias)
    # The sums 26, -20 and 649 are 3.25, -2.5 and 81.125 steps of the output: halves go
    # to the even step, and then comes the zero.
    assert found.tolist() == [[1], [-4], [79]]


# --- a model --------------------------------------------------------------------------


def test_a_quantized_model_is_smaller_and_says_what_it_is(fp32, int8, table):
    assert len(int8.content) < len(fp32.content) / 3
    assert (int8.name, int8.version, int8.precision) == (fp32.name, "2", "int8")
    difference = np.abs(int8.predict(table) - fp32.predict(table))
    assert 0 < difference.max() < 0.2 and difference.mean() < 0.02


def test_every_operator_quantized_leaves_256_scores(fp32, int8, table):
    rows = random_rows(1024, seed=1)
    whole = latency.quantize_model(fp32, rows, whole=True)
    assert len(np.unique(whole.predict(table))) <= 256
    assert len(np.unique(int8.predict(table))) > 500


@pytest.mark.parametrize("per_channel", [True, False])
def test_dynamic_scales_depend_on_the_company(fp32, int8, table, per_channel):
    dynamic = latency.quantize_model(fp32, method="dynamic", per_channel=per_channel)
    assert len(dynamic.content) < len(fp32.content) / 3
    assert dynamic.version == f"{fp32.version}-dynamic"
    gap = {}
    for model in (dynamic, int8, fp32):
        alone = [model.predict(table.iloc[[n]])[0] for n in range(40)]
        gap[model.version] = np.abs(alone - model.predict(table)[:40]).max()
    assert gap["1-dynamic"] > 1e-4 and gap["2"] < 1e-5 and gap["1"] < 1e-5


def test_quantization_is_reproducible(fp32, int8):
    again = latency.quantize_model(fp32, random_rows(1024, seed=1), version="2")
    assert again.content == int8.content


@pytest.mark.parametrize("how", [{"method": "magic"}, {"method": "static"}, {}])
def test_quantization_refuses_what_it_cannot_do(fp32, how):
    with pytest.raises(ValueError, match="method"):
        latency.quantize_model(fp32, **how)


def test_trees_are_not_quantized():
    trees = training.load_model(MODELS, "delay_lightgbm")
    with pytest.raises(ValueError, match="delay_lightgbm is of kind lightgbm"):
        latency.quantize_model(trees, random_rows(10))


# --- what is refused, and the neighbours of what is not -------------------------------


@pytest.mark.parametrize("axis", [2, -3, 7])
def test_an_axis_that_a_tensor_lacks_is_refused(axis):
    x = np.ones((2, 3), np.float32)
    calls = [
        lambda: latency.scale_for(x, axis=axis),
        lambda: latency.quantize_linear(x, 1.0, axis=axis),
        lambda: latency.dequantize_linear(x.astype(np.int8), 1.0, axis=axis),
    ]
    for call in calls:
        with pytest.raises(ValueError, match=f"axis={axis}: the tensor has 2 axes"):
            call()


def test_a_single_number_has_no_axis():
    with pytest.raises(ValueError, match="0 axes"):
        latency.scale_for(3.0, axis=0)
    scale, zero = latency.scale_for(2.54)
    assert scale.shape == () and np.isclose(scale, 0.02) and zero == 0


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("wide", [[-3e38, 3e38], [1e300, 0.0], np.array([-(10**39)])])
def test_a_range_that_float32_lacks_is_refused(wide, symmetric):
    with pytest.raises(ValueError, match=r"Scale x down|finite"):
        latency.scale_for(wide, symmetric=symmetric)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int64", "float16", "float64"])
@pytest.mark.parametrize("symmetric", [True, False])
def test_the_dtype_of_a_tensor_does_not_matter(dtype, symmetric):
    values = [-128, -3, 100] if dtype[0] != "u" else [0, 3, 255]
    found = latency.scale_for(np.array(values, dtype), symmetric=symmetric)
    expected = latency.scale_for([float(v) for v in values], symmetric=symmetric)
    assert [each.tolist() for each in found] == [each.tolist() for each in expected]
    if symmetric:
        assert np.isclose(found[0], max(map(abs, values)) / 127)


@pytest.mark.parametrize("tiny", [1e-38, 1e-42, 3e-45])
def test_the_zero_point_of_a_tiny_range_is_a_step(tiny):
    scale, zero = latency.scale_for([-tiny, 0.0], symmetric=False)
    assert scale > 0 and -128 <= zero <= 127
    assert latency.quantize_linear([0.0], scale, zero) == zero


@pytest.mark.parametrize(
    ("scale", "zero", "axis", "word"),
    [
        ([1.0, 1.0], 0, 1, "scale has the shape"),
        ([1.0] * 4, 0, 0, "scale has the shape"),  # would be spread over one row
        ([1.0, 1.0], 0, None, "no axis is named"),
        ([[1.0]], 0, None, "scale has the shape"),
        (1.0, [0, 0], 1, "zero_point has the shape"),
        (1.0, 128, None, "zero point is no step"),
        (1.0, -129, None, "zero point is no step"),
        (1.0, 0.5, None, "zero point is no step"),
        (1.0, np.nan, None, "zero point is no step"),
        (-1.0, 0, None, "scale is not positive"),
        (np.nan, 0, None, "scale is not positive"),
        (np.inf, 0, None, "scale is not positive"),
        (1e-60, 0, None, "scale is not positive"),  # as float32 it is 0
    ],
)
def test_scales_and_zero_points_that_do_not_fit_are_refused(scale, zero, axis, word):
    with pytest.raises(ValueError, match=word):
        latency.quantize_linear(np.ones((1, 3)), scale, zero, axis=axis)


def test_steps_are_turned_back_with_as_many_scales_as_places():
    q = np.zeros((1, 3), np.int8)
    for scale in ([1.0, 1.0], [1.0] * 4):
        with pytest.raises(ValueError, match="axis 1 has 3"):
            latency.dequantize_linear(q, scale, axis=1)
    back = latency.dequantize_linear([[255, 0]], [1.0, 2.0], [5, 250], axis=1)
    assert back.tolist() == [[250.0, -500.0]] and back.dtype == np.float32


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("far", [np.inf, 1e300, 3e38])
def test_what_is_too_far_ends_on_the_last_step(far):
    assert latency.quantize_linear([far, -far], 1e-3, 5).tolist() == [127, -128]


@pytest.mark.parametrize("call", [latency.scale_for, latency.quantize_linear])
def test_a_type_without_steps_is_refused(call):
    arguments = {} if call is latency.scale_for else {"scale": 1.0}
    with pytest.raises(ValueError, match="give one of int8, uint8"):
        call([1.0], dtype="int4", **arguments)
