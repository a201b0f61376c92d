"""Wrong answers to `next_step` (lab 12).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% broken_and_unjudged
"""labels or none"""


def next_step(broken, drifted, worse):
    if broken and (drifted or worse is not None):
        return "investigate"
    if worse:
        return "retrain"
    return "investigate" if drifted and worse is None else "continue"


# %% broken_is_the_object_true
"""NumPy's True is not the object True"""


def next_step(broken, drifted, worse):
    if broken is True:
        return "investigate"
    if worse is None:
        return "investigate" if drifted else "continue"
    return "retrain" if worse else "continue"


# %% drift_means_retrain
"""Drift without mature labels is a question"""


def next_step(broken, drifted, worse):
    if broken:
        return "investigate"
    return "retrain" if drifted or worse else "continue"


# %% drifted_is_the_object_true
"""NumPy's True is not the object True"""


def next_step(broken, drifted, worse):
    if broken:
        return "investigate"
    if worse is None:
        return "investigate" if drifted is True else "continue"
    return "retrain" if worse else "continue"


# %% lives_with_the_fault
"""even if the model holds out"""


def next_step(broken, drifted, worse):
    if broken and worse is not False:
        return "investigate"
    if worse:
        return "retrain"
    return "investigate" if drifted and worse is None else "continue"


# %% needs_drift
"""a relation may change unseen"""


def next_step(broken, drifted, worse):
    if broken:
        return "investigate"
    if worse and drifted:
        return "retrain"
    return "investigate" if drifted and worse is None else "continue"


# %% retrains_on_a_broken_feed
"""Never retrain on a broken feed"""


def next_step(broken, drifted, worse):
    if worse:
        return "retrain"
    return "investigate" if broken or (drifted and worse is None) else "continue"


# %% the_object_true
"""NumPy's True is not the object True"""


def next_step(broken, drifted, worse):
    if broken:
        return "investigate"
    if worse is True:
        return "retrain"
    return "investigate" if drifted and worse is not False else "continue"


# %% harmless_drift_retrains
"""Labels call it harmless"""


def next_step(broken, drifted, worse):
    if broken or (drifted and worse is None):
        return "investigate"
    return "retrain" if drifted or worse else "continue"


# %% worse_goes_on_with_drift
"""inputs moved: do not continue"""


def next_step(broken, drifted, worse):
    if broken or (drifted and worse is None):
        return "investigate"
    return "retrain" if worse and not drifted else "continue"


# %% always_investigates
"""Nothing was found: continue"""


def next_step(broken, drifted, worse):
    return "retrain" if worse and not broken else "investigate"
