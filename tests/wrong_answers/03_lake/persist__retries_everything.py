"""A ValueError was tried again"""


def persist(attempt, tries=3):
    for left in reversed(range(tries)):
        try:
            return attempt()
        except Exception:
            if left == 0:
                raise
