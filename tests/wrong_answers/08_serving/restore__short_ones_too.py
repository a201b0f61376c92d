"""nothing was held back"""


def restore(ms, every_ms):
    return [*ms, *(abs(taken - every_ms) for taken in ms)]
