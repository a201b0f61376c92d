"""in the list that you were handed"""


def restore(ms, every_ms):
    ms += [taken - n * every_ms for taken in ms for n in range(1, math.ceil(taken / every_ms))]
    return ms
