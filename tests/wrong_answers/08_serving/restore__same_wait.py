"""Those held back wait for the same end"""


def restore(ms, every_ms):
    missing = []
    for taken in ms:
        missing += [taken] * int(taken // every_ms) if taken > every_ms else []
    return [*ms, *missing]
