"""Those held back wait for the same end"""


def restore(ms, every_ms):
    missing = []
    for taken in ms:
        due = every_ms
        while due < taken:
            missing.append(due)
            due += every_ms
    return [*ms, *missing]
