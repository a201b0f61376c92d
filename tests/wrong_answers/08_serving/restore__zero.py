"""leave times of zero out"""


def restore(ms, every_ms):
    missing = []
    for taken in ms:
        left = taken - every_ms
        while left >= 0:
            missing.append(left)
            left -= every_ms
    return [*ms, *missing]
