"""Times are no whole numbers"""


def restore(ms, every_ms):
    return [*ms, *(left for taken in ms for left in range(taken - every_ms, 0, -every_ms))]
