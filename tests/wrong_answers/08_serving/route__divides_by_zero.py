"""leave that version out before you divide"""


def route(entity, weights, salt="flightline"):
    if not any(weight > 0 for weight in weights.values()):
        raise ValueError("nobody")
    waits = {}
    for version, weight in weights.items():
        digest = hashlib.sha256(f"{salt}|{version}|{entity}".encode()).digest()
        waits[version] = -math.log((int.from_bytes(digest[:6]) + 0.5) / 2**48) / weight
    return min(waits, key=waits.get)
