"""Generating text: bytes against operations, and the cache of keys and values."""

from flightline.estimate.checks import count, in_python_numbers, positive, within
from flightline.estimate.core import roofline_seconds


@in_python_numbers
def kv_cache_bytes(
    *,
    tokens: float,
    layers: int,
    kv_heads: int,
    head_width: int,
    bytes_each: float = 2,
) -> float:
    """Return the memory that the keys and values of one request's tokens take.

    Parameters
    ----------
    tokens : float
        Tokens of the request, those of the prompt and those generated so far.
    layers, kv_heads, head_width : int
        The transformer. With grouped queries there are fewer heads of keys and values
        than of queries.
    bytes_each : float
        Bytes of one number: 2 for 16 bits.

    Returns
    -------
    float
        Bytes.

    Raises
    ------
    ValueError
        If an input is impossible; the message names it.

    Examples
    --------
    >>> kv_cache_bytes(tokens=1, layers=32, kv_heads=8, head_width=128)
    131072
    """
    positive(tokens=tokens, bytes_each=bytes_each)
    count(layers=layers, kv_heads=kv_heads, head_width=head_width)
    return 2 * tokens * layers * kv_heads * head_width * bytes_each


@in_python_numbers
def token_seconds(
    *,
    params: float,
    peak_tflops: float,
    bandwidth_gb_s: float,
    requests: int = 1,
    cache_bytes: float = 0,
    bytes_each: float = 2,
) -> float:
    """Return the least time of one more token for each request of a batch.

    Every weight is read once for the whole batch, every cache once for its request,
    and each request takes two operations a parameter. The slower of memory and
    arithmetic decides.

    Parameters
    ----------
    params : float
        Parameters of the model.
    peak_tflops : float
        Peak of the accelerator in 10^12 FLOP/s.
    bandwidth_gb_s : float
        Bandwidth of its memory in 10^9 bytes a second.
    requests : int
        Requests that are answered together.
    cache_bytes : float
        Keys and values of one request, as `kv_cache_bytes` returns them.
    bytes_each : float
        Bytes of one weight: 2 for 16 bits.

    Returns
    -------
    float
        Seconds. A real server takes longer: this is a floor.

    Raises
    ------
    ValueError
        If an input is impossible; the message names it.
    """
    positive(params=params, peak_tflops=peak_tflops, bandwidth_gb_s=bandwidth_gb_s)
    positive(bytes_each=bytes_each)
    within(0, 1e18, cache_bytes=cache_bytes)
    count(requests=requests)
    return roofline_seconds(
        2 * params * requests,
        params * bytes_each + requests * cache_bytes,
        flop_s=peak_tflops * 1e12,
        bytes_s=bandwidth_gb_s * 1e9,
    )
