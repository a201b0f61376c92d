"""The idle one of ten was chosen"""


def choose_of_two(loads, chance):
    one = int(chance.integers(len(loads) - 1))
    return one + 1 if loads[one + 1] < loads[one] else one
