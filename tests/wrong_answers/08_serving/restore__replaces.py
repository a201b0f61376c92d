"""The measured times come first"""


def restore(ms, every_ms):
    missing = []
    for taken in ms:
        while taken > 0:
            missing.append(taken)
            taken -= every_ms
    return sorted(missing, reverse=True) if max(ms) > every_ms else list(ms)
