"""Wrong answers to `straggler` (lab 07).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% always_somebody
"""Nobody waits much longer"""


def straggler(wait_s, factor=3.0):
    return int(np.argmin(np.median(wait_s, axis=0)))


# %% fixed_factor
"""take it from the argument"""


def straggler(wait_s, factor=3.0):
    waits = np.median(wait_s, axis=0)
    slowest = int(np.argmin(waits))
    others = float(np.median(np.delete(waits, slowest)))
    return slowest if others >= 3 * waits[slowest] and others > 0 else None


# %% guards_the_division
"""a rank that never waits, while the others do"""


def straggler(wait_s, factor=3.0):
    waits = np.median(wait_s, axis=0)
    slowest = int(waits.argmin())
    others = np.median(np.delete(waits, slowest))
    least = waits[slowest]
    return slowest if least > 0 and others / least >= factor else None


# %% last_most_often
"""who waits least in most steps"""


def straggler(wait_s, factor=3.0):
    waits = np.median(wait_s, axis=0)
    slowest = int(np.bincount(np.asarray(wait_s).argmin(axis=1)).argmax())
    others = np.median(np.delete(waits, slowest))
    return slowest if others >= factor * waits[slowest] and others > 0 else None


# %% least_of_others
"""do not ask the one that waits second least"""


def straggler(wait_s, factor=3.0):
    waits = np.median(wait_s, axis=0)
    slowest = int(np.argmin(waits))
    others = float(np.min(np.delete(waits, slowest)))
    return slowest if others >= factor * waits[slowest] and others > 0 else None


# %% longest_against_shortest
"""One rank that waits long makes no straggler"""


def straggler(wait_s, factor=3.0):
    waits = np.median(wait_s, axis=0)
    waited = waits.max() > 0 and waits.max() >= factor * waits.min()
    return int(np.argmin(waits)) if waited else None


# %% mean_of_others
"""not with their longest or mean wait"""


def straggler(wait_s, factor=3.0):
    waits = np.median(wait_s, axis=0)
    slowest = int(np.argmin(waits))
    others = float(np.mean(np.delete(waits, slowest)))
    return slowest if others >= factor * waits[slowest] and others > 0 else None


# %% mean_over_steps
"""Two odd steps decided"""


def straggler(wait_s, factor=3.0):
    waits = np.mean(wait_s, axis=0)
    slowest = int(np.argmin(waits))
    others = float(np.median(np.delete(waits, slowest)))
    return slowest if others >= factor * waits[slowest] and others > 0 else None


# %% median_of_all
"""leave the straggler itself out"""


def straggler(wait_s, factor=3.0):
    waits = np.median(wait_s, axis=0)
    slowest = int(np.argmin(waits))
    others = float(np.median(waits))
    return slowest if others >= factor * waits[slowest] and others > 0 else None


# %% nobody_waits
"""or nobody waits at all"""


def straggler(wait_s, factor=3.0):
    waits = np.median(wait_s, axis=0)
    slowest = int(np.argmin(waits))
    others = float(np.median(np.delete(waits, slowest)))
    return slowest if others >= factor * waits[slowest] else None


# %% one_pot
"""not one median over all waits in one pot"""


def straggler(wait_s, factor=3.0):
    waits = np.median(wait_s, axis=0)
    slowest = int(np.argmin(waits))
    others = float(np.median(np.delete(wait_s, slowest, axis=1)))
    return slowest if others >= factor * waits[slowest] and others > 0 else None


# %% ranks_before_steps
"""not the other way round"""


def straggler(wait_s, factor=3.0):
    waits = np.median(wait_s, axis=0)
    slowest = int(waits.argmin())
    others = np.median(np.median(np.delete(wait_s, slowest, axis=1), axis=1))
    return slowest if others >= factor * waits[slowest] and others > 0 else None


# %% somebody_waits
"""also if the others do not wait at all"""


def straggler(wait_s, factor=3.0):
    waits = np.median(wait_s, axis=0)
    slowest = int(waits.argmin())
    others = np.median(np.delete(waits, slowest))
    return slowest if waits.any() and others >= factor * waits[slowest] else None


# %% waits_longest
"""so it is the one that waits least"""


def straggler(wait_s, factor=3.0):
    waits = np.median(wait_s, axis=0)
    worst = int(np.argmax(waits))
    others = float(np.median(np.delete(waits, worst)))
    return worst if waits[worst] >= factor * others else None
