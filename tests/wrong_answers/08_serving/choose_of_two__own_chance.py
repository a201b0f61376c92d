"""draw from `chance` and from nothing else"""

import random


def choose_of_two(loads, chance):
    one, other = random.sample(range(len(loads)), 2)
    return other if loads[other] < loads[one] else one
