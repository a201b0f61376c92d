"""Silence here is a lost batch"""


def persist(attempt, tries=3):
    for _ in range(tries):
        try:
            return attempt()
        except Conflict:
            continue
