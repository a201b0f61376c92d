"""The idle one of ten was chosen"""


def choose_of_two(loads, chance):
    other = int(chance.integers(1, len(loads)))
    return other if loads[other] < loads[0] else 0
