"""First what was measured; then each long request's missing ones"""


def restore(ms, every_ms):
    missing = [(n, at, taken - n * every_ms) for at, taken in enumerate(ms) for n in range(1, math.ceil(taken / every_ms))]
    return [*ms, *(left for _, _, left in sorted(missing))]
