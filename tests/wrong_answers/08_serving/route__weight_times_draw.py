"""Where does the weight enter the wait?"""


def route(entity, weights, salt="flightline"):
    draws = {}
    for version, weight in weights.items():
        if weight > 0:
            digest = hashlib.sha256(f"{salt}|{version}|{entity}".encode()).digest()
            draws[version] = (int.from_bytes(digest[:6]) + 0.5) / 2**48 * weight
    if not draws:
        raise ValueError("nobody")
    return max(draws, key=draws.get)
