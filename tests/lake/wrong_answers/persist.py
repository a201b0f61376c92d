"""Wrong answers to `persist` (lab 03).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% counts_retries
"""Make three calls, then let the Conflict through"""


def persist(attempt, tries=3):
    for _ in range(tries):
        try:
            return attempt()
        except Conflict:
            continue
    return attempt()


# %% gives_up_in_silence
"""Silence here is a lost batch"""


def persist(attempt, tries=3):
    for _ in range(tries):
        try:
            return attempt()
        except Conflict:
            continue


# %% retries_everything
"""A ValueError was tried again"""


def persist(attempt, tries=3):
    for left in reversed(range(tries)):
        try:
            return attempt()
        except Exception:
            if left == 0:
                raise


# %% three_always
"""Try as often as `tries` says"""


def persist(attempt, tries=3):
    for number in range(3):
        try:
            return attempt()
        except Conflict:
            if number == 2:
                raise
