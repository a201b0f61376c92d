"""A weight of zero or less gets no flight"""


def route(entity, weights, salt="flightline"):
    waits = {}
    for version, weight in weights.items():
        if weight:
            digest = hashlib.sha256(f"{salt}|{version}|{entity}".encode()).digest()
            share = (int.from_bytes(digest[:6]) + 0.5) / 2**48
            waits[version] = -math.log(share) / weight
    if not waits:
        raise ValueError("nobody")
    return min(waits, key=lambda version: waits[version])
