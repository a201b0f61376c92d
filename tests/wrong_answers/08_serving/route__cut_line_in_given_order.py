"""in whatever order they come"""


def route(entity, weights, salt="flightline"):
    digest = hashlib.sha256(f"{salt}|{entity}".encode()).digest()
    point = int.from_bytes(digest[:6]) / 2**48 * sum(weights.values())
    if not any(weight > 0 for weight in weights.values()):
        raise ValueError("nobody")
    for version, weight in weights.items():
        if point < weight:
            return version
        point -= weight
