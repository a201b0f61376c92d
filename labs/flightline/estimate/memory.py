"""The memory of training on one device."""

from flightline.estimate.checks import in_python_numbers, positive, within

STATE_BYTES = {"mixed": (2, 2, 12), "float32": (4, 4, 8)}


@in_python_numbers
def training_memory(
    *,
    params: float,
    precision: str = "mixed",
    batch: float = 0,
    seq_len: float = 0,
    width: float = 0,
    layers: float = 0,
    heads: float = 0,
    recompute: bool = False,
) -> dict[str, float]:
    """Estimate the memory of training with Adam on one device.

    Parameters
    ----------
    params : float
        Parameters on this device.
    precision : str
        "mixed": 16-bit parameters and gradients; 32-bit parameters and both moments
        in the optimizer. "float32": 32 bits throughout.
    batch : float
        Examples per device in one forward pass; 0 leaves the activations out.
    seq_len, width, layers, heads : float
        The transformer whose 16-bit activations are kept.
    recompute : bool
        Keep only the input of each layer and compute the rest again.

    Returns
    -------
    dict of str to float
        Bytes of `parameters`, `gradients`, `optimizer` and `activations`.
    """
    positive(params=params)
    if precision not in STATE_BYTES:
        raise ValueError(f"precision is {precision!r}; use one of {list(STATE_BYTES)}.")
    within(0, 1e12, batch=batch, seq_len=seq_len, width=width)
    within(0, 1e12, layers=layers, heads=heads)
    state = [params * size for size in STATE_BYTES[precision]]
    per_token = 2 * width if recompute else 34 * width + 5 * heads * seq_len
    held = [*state, layers * batch * seq_len * per_token]
    names = ("parameters", "gradients", "optimizer", "activations")
    return dict(zip(names, held, strict=True))
