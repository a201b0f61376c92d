"""The same flight met another version"""

import random


def route(entity, weights, salt="flightline"):
    if not any(weight > 0 for weight in weights.values()):
        raise ValueError("nobody")
    return random.choices(list(weights), list(weights.values()))[0]
