"""flights moved between B and C"""


def route(entity, weights, salt="flightline"):
    digest = hashlib.sha256(f"{salt}|{entity}".encode()).digest()
    point = int.from_bytes(digest[:6]) / 2**48 * sum(weights.values())
    if not any(weight > 0 for weight in weights.values()):
        raise ValueError("nobody")
    for version in sorted(weights):
        if point < weights[version]:
            return version
        point -= weights[version]
