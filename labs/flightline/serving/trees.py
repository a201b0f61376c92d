"""LightGBM's trees for one row: its C interface, without the Python around it.

`Booster.predict` reads its parameters and allocates buffers in each call, which for one
row takes several times as long as the trees themselves. LightGBM's C interface has a
call for a single row that does this once. The scores are the same to the bit.
"""

import ctypes
from pathlib import Path

import numpy as np
import numpy.typing as npt

from flightline import training
from flightline.features import CATEGORICAL, FEATURES
from flightline.serving.rows import Rows

FLOAT64, PROBABILITY, ALL = 1, 0, -1


def library() -> ctypes.CDLL | None:
    """Return LightGBM's library, or None where it is not at its usual place."""
    import lightgbm

    folder = Path(lightgbm.__file__).parent
    found = sorted(folder.glob("**/lib_lightgbm.*"))
    if not found:
        return None
    try:
        return ctypes.CDLL(str(found[0]))
    except OSError:
        return None


class SingleRow:
    """Score single rows with the trees of a model.

    Parameters
    ----------
    library : ctypes.CDLL
        LightGBM's.
    model : training.Predictor
        Of the kind lightgbm.
    """

    def __init__(self, library: ctypes.CDLL, model: training.Predictor) -> None:
        self._library, self._handle, self._fast = (
            library,
            ctypes.c_void_p(),
            ctypes.c_void_p(),
        )
        categories = model.transform.categories
        self._codes = [
            {value: code for code, value in enumerate(categories[name], start=1)}
            for name in CATEGORICAL
        ]
        self._call(
            "BoosterLoadModelFromString",
            ctypes.c_char_p(model.content),
            ctypes.byref(ctypes.c_int()),
            ctypes.byref(self._handle),
        )
        self._call(
            "BoosterPredictForMatSingleRowFastInit",
            self._handle,
            ctypes.c_int(PROBABILITY),
            ctypes.c_int(0),
            ctypes.c_int(ALL),
            ctypes.c_int(FLOAT64),
            ctypes.c_int32(len(FEATURES)),
            ctypes.c_char_p(b"num_threads=1"),
            ctypes.byref(self._fast),
        )
        self._predict = library.LGBM_BoosterPredictForMatSingleRowFast

    def _call(self, name: str, *given: object) -> None:
        """Call a function of the library; a RuntimeError says what it complains of."""
        if getattr(self._library, f"LGBM_{name}")(*given):
            say = self._library.LGBM_GetLastError
            say.restype = ctypes.c_char_p
            raise RuntimeError(f"LightGBM, {name}: {say().decode(errors='replace')}")

    def __call__(self, rows: Rows) -> npt.NDArray[np.float64]:
        """Return the score of the only row."""
        matrix = np.empty(len(FEATURES))
        for at, (codes, values) in enumerate(zip(self._codes, rows.texts, strict=True)):
            matrix[at] = codes.get(str(values[0]), 0)
        matrix[len(CATEGORICAL) :] = rows.numbers[0]
        score, count = ctypes.c_double(), ctypes.c_int64()
        failed = self._predict(
            self._fast,
            ctypes.c_void_p(matrix.ctypes.data),
            ctypes.byref(count),
            ctypes.byref(score),
        )
        if failed or count.value != 1:
            raise RuntimeError("LightGBM scored no row.")
        return np.array([score.value])

    def __del__(self) -> None:
        """Give the trees back."""
        if self._fast:
            self._library.LGBM_FastConfigFree(self._fast)
        if self._handle:
            self._library.LGBM_BoosterFree(self._handle)
