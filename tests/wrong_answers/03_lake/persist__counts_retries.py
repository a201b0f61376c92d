"""Make three calls, then let the Conflict through"""


def persist(attempt, tries=3):
    for _ in range(tries):
        try:
            return attempt()
        except Conflict:
            continue
    return attempt()
