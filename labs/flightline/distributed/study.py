"""A study in a file, which several processes may search."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import optuna

STUDY = "flightline"


def open_study(path: Path, seed: int) -> "optuna.Study":
    """Open a study in a file, or begin it; several processes may.

    Parameters
    ----------
    path : Path
        The file, on a disk that all processes see.
    seed : int
        Of the sampler; another one in each process, or all try the same.

    Returns
    -------
    optuna.Study
        It minimises.
    """
    import optuna
    from optuna.storages.journal import JournalFileBackend, JournalStorage

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna.create_study(
        storage=JournalStorage(JournalFileBackend(str(path))),
        sampler=optuna.samplers.TPESampler(seed=seed, constant_liar=True),
        study_name=STUDY,
        load_if_exists=True,
    )
