"""First what was measured; then each long request's missing ones"""


def restore(ms, every_ms):
    found = []
    for taken in ms:
        found += [taken - n * every_ms for n in range(math.ceil(taken / every_ms))]
    return found
