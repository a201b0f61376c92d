"""hash salt|version|entity"""


def route(entity, weights, salt="flightline"):
    waits = {}
    for version, weight in weights.items():
        if weight > 0:
            digest = hashlib.sha256(f"{version}|{entity}".encode()).digest()
            waits[version] = -math.log((int.from_bytes(digest[:6]) + 0.5) / 2**48) / weight
    if not waits:
        raise ValueError("nobody")
    return min(waits, key=waits.get)
