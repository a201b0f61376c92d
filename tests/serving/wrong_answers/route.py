"""Wrong answers to `route` (lab 08).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% cut_line
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


# %% cut_line_in_given_order
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


# %% divides_by_zero
"""leave that version out before you divide"""


def route(entity, weights, salt="flightline"):
    if not any(weight > 0 for weight in weights.values()):
        raise ValueError("nobody")
    waits = {}
    for version, weight in weights.items():
        digest = hashlib.sha256(f"{salt}|{version}|{entity}".encode()).digest()
        waits[version] = -math.log((int.from_bytes(digest[:6]) + 0.5) / 2**48) / weight
    return min(waits, key=waits.get)


# %% little_endian
"""take the first 6 bytes, big-endian"""


def route(entity, weights, salt="flightline"):
    waits = {}
    for version, weight in weights.items():
        if weight > 0:
            digest = hashlib.sha256(f"{salt}|{version}|{entity}".encode()).digest()
            waits[version] = -math.log((int.from_bytes(digest[:6], "little") + 0.5) / 2**48) / weight
    if not waits:
        raise ValueError("nobody")
    return min(waits, key=waits.get)


# %% longest_wins
"""Where does the weight enter the wait?"""


def route(entity, weights, salt="flightline"):
    waits = {}
    for version, weight in weights.items():
        if weight > 0:
            digest = hashlib.sha256(f"{salt}|{version}|{entity}".encode()).digest()
            waits[version] = -math.log((int.from_bytes(digest[:6]) + 0.5) / 2**48) / weight
    if not waits:
        raise ValueError("nobody")
    return max(waits, key=waits.get)


# %% negative_weights
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


# %% nobody
"""No positive weight: raise a ValueError"""


def route(entity, weights, salt="flightline"):
    waits = {}
    for version, weight in weights.items():
        if weight > 0:
            digest = hashlib.sha256(f"{salt}|{version}|{entity}".encode()).digest()
            waits[version] = -math.log((int.from_bytes(digest[:6]) + 0.5) / 2**48) / weight
    return min(waits, key=waits.get, default=next(iter(weights)))


# %% one_draw
"""they all draw the same number"""


def route(entity, weights, salt="flightline"):
    waits = {}
    for version, weight in weights.items():
        if weight > 0:
            digest = hashlib.sha256(f"{salt}|{entity}".encode()).digest()
            waits[version] = -math.log((int.from_bytes(digest[:6]) + 0.5) / 2**48) / weight
    if not waits:
        raise ValueError("nobody")
    return min(waits, key=waits.get)


# %% other_bytes
"""The shares are right, but not the draw"""


def route(entity, weights, salt="flightline"):
    waits = {}
    for version, weight in weights.items():
        if weight > 0:
            digest = hashlib.md5(f"{salt}|{entity}|{version}!!".encode()).digest()
            waits[version] = -math.log((int.from_bytes(digest[:6]) + 0.5) / 2**48) / weight
    if not waits:
        raise ValueError("nobody")
    return min(waits, key=waits.get)


# %% own_hash
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


# %% random
"""The same flight met another version"""

import random


def route(entity, weights, salt="flightline"):
    if not any(weight > 0 for weight in weights.values()):
        raise ValueError("nobody")
    return random.choices(list(weights), list(weights.values()))[0]


# %% weight_times_draw
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
