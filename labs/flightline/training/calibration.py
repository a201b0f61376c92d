"""A slope and a bias that turn scores into probabilities."""

import numpy as np

from flightline.training.core import Floats


def sigmoid(logit: Floats) -> Floats:
    """Turn logits into probabilities."""
    with np.errstate(over="ignore"):  # exp of a large number: the chance is 0
        return np.asarray(1 / (1 + np.exp(-logit)), np.float64)


def _loss(found: Floats, inputs: Floats, late: Floats) -> float:
    """Return the summed log-loss of `sigmoid(found @ inputs)`."""
    logit = found @ inputs
    return float(np.sum(np.logaddexp(0, logit) - late * logit))


def calibrate(logit: Floats, late: Floats) -> tuple[float, float]:
    """Return the slope and bias that calibrate `sigmoid(slope * logit + bias)`.

    Newton's method on the log-loss, from the constant model on. A step that does not
    lower the loss is halved, so that scores of any scale and shift come to the same
    probabilities.

    Parameters
    ----------
    logit : array of float64 [n]
        Scores on any scale; finite.
    late : array of float64 [n]
        Labels from 0 to 1.

    Returns
    -------
    slope, bias : float

    Raises
    ------
    ValueError
        If no finite slope is best: scores that are constant, labels of one class, or
        scores that separate the classes. Also for NaN, and for labels outside 0 to 1.
    """
    logit, late = np.asarray(logit, np.float64), np.asarray(late, np.float64)
    if logit.shape != late.shape or logit.ndim != 1 or not len(logit):
        raise ValueError(f"scores {logit.shape} and labels {late.shape}: one of each.")
    if not (np.isfinite(logit).all() and ((late >= 0) & (late <= 1)).all()):
        raise ValueError("scores must be finite, and labels between 0 and 1.")
    punctual, tardy = logit[late < 1], logit[late > 0]
    if not len(punctual) or not len(tardy):
        raise ValueError("all labels are of one class: nothing can be calibrated.")
    if logit.min() == logit.max():
        raise ValueError("all scores are equal: a slope means nothing.")
    if punctual.max() <= tardy.min() or tardy.max() <= punctual.min():
        raise ValueError("the scores separate the classes: no finite slope is best.")
    inputs = np.stack([logit, np.ones(len(logit))])
    found = np.array([0.0, np.log(late.mean() / (1 - late.mean()))])
    loss = _loss(found, inputs, late)
    for _ in range(100):
        score = sigmoid(found @ inputs)
        bend = (inputs * score * (1 - score)) @ inputs.T
        try:
            step = np.linalg.solve(bend, inputs @ (score - late))
        except np.linalg.LinAlgError:
            raise ValueError(
                "the spread of the scores is lost beside their mean, or the other way "
                "round. Subtract the mean and divide by the spread first."
            ) from None
        while (lower := _loss(found - step, inputs, late)) > loss + 1e-9 * abs(loss):
            step = step / 2
        if np.array_equal(found, found - step):
            break
        found, loss = found - step, lower
    return float(found[0]), float(found[1])
