"""One request of 10 ms holds back two"""


def restore(ms, every_ms):
    return [*ms, *(taken - every_ms for taken in ms if taken > every_ms)]
