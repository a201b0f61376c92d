"""Training runs of dense models that state parameters, tokens and accelerator-hours."""

from typing import NamedTuple

import pandas as pd

A100, H100 = 312, 989
"""Peaks in 10^12 FLOP/s, dense, 16 bits, as the data sheets give them."""


class Run(NamedTuple):
    """One run as its authors report it.

    `params` are those that the name states or the paper's table gives; `hours` are
    accelerator-hours of the whole run, unless the note says otherwise.
    """

    name: str
    params: float
    tokens: float
    accelerator: str
    peak_tflops: float
    hours: float
    source: str
    note: str = ""


TINY_LLAMA = "README of github.com/jzhang38/TinyLlama"
LLAMA = "arXiv 2302.13971"
LLAMA_2 = "arXiv 2307.09288, section 2.2.1"
LLAMA_3_1 = "MODEL_CARD of github.com/meta-llama/llama-models, models/llama3_1"
RUNS = [
    Run(
        "GPT-2 124M",
        124e6,
        294.9e9,
        "A100",
        A100,
        8 * 24 * 4.5,
        "README and configuration of github.com/karpathy/nanoGPT",
        "eight devices for 'about 4 days': 4.5 taken",
    ),
    Run(
        "Pythia 1.0B",
        1.0e9,
        300e9,
        "A100",
        A100,
        4830,
        TINY_LLAMA,
        "hours as TinyLlama quotes them from arXiv 2304.01373",
    ),
    Run(
        "TinyLlama 1.1B",
        1.1e9,
        300e9,
        "A100",
        A100,
        3456,
        TINY_LLAMA,
        "hours of the first 300 billion of 3 trillion tokens",
    ),
    Run("LLaMA 13B", 13.0e9, 1.0e12, "A100", A100, 135_168, LLAMA),
    Run(
        "LLaMA 65B",
        65.2e9,
        1.4e12,
        "A100",
        A100,
        2048 * 21 * 24,
        LLAMA,
        "2,048 devices for approximately 21 days",
    ),
    Run("Llama 2 7B", 7e9, 2.0e12, "A100", A100, 184_320, LLAMA_2),
    Run("Llama 2 70B", 70e9, 2.0e12, "A100", A100, 1_720_320, LLAMA_2),
    Run("BLOOM 176B", 176.2e9, 366e9, "A100", A100, 1_082_990, "arXiv 2211.05100"),
    Run("Llama 3.1 8B", 8e9, 15e12, "H100", H100, 1.46e6, LLAMA_3_1),
    Run("Llama 3.1 70B", 70e9, 15e12, "H100", H100, 7.0e6, LLAMA_3_1),
    Run(
        "Llama 3.1 405B",
        405e9,
        15.6e12,
        "H100",
        H100,
        30.84e6,
        LLAMA_3_1,
        "tokens from arXiv 2407.21783",
    ),
]


def runs() -> pd.DataFrame:
    """Return the published runs.

    Returns
    -------
    DataFrame
        By the name of the model: `params`, `tokens`, `accelerator`, `peak_tflops` (of
        one, in 10^12 FLOP/s), `hours` (of accelerators, in all), `source`, `note`.
    """
    return pd.DataFrame(RUNS).set_index("name")
