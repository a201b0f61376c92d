"""Wrong answers to `choose_of_two` (lab 08).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% all
"""You looked at more than two replicas"""


def choose_of_two(loads, chance):
    return min(range(len(loads)), key=lambda number: loads[number])


# %% lower_number_on_a_tie
"""On a tie, take the first one drawn"""


def choose_of_two(loads, chance):
    one, other = sorted(int(number) for number in chance.choice(len(loads), size=2, replace=False))
    return other if loads[other] < loads[one] else one


# %% more_loaded
"""take the less loaded"""


def choose_of_two(loads, chance):
    one, other = (int(number) for number in chance.choice(len(loads), size=2, replace=False))
    return other if loads[other] > loads[one] else one


# %% neighbours
"""The idle one of ten was chosen"""


def choose_of_two(loads, chance):
    one = int(chance.integers(len(loads) - 1))
    return one + 1 if loads[one + 1] < loads[one] else one


# %% one_is_fixed
"""The idle one of ten was chosen"""


def choose_of_two(loads, chance):
    other = int(chance.integers(1, len(loads)))
    return other if loads[other] < loads[0] else 0


# %% own_chance
"""draw from `chance` and from nothing else"""

import random


def choose_of_two(loads, chance):
    one, other = random.sample(range(len(loads)), 2)
    return other if loads[other] < loads[one] else one


# %% the_same_twice
"""Draw two different ones"""


def choose_of_two(loads, chance):
    one, other = (int(number) for number in chance.integers(len(loads), size=2))
    return other if loads[other] < loads[one] else one
