"""Draw two different ones"""


def choose_of_two(loads, chance):
    one, other = (int(number) for number in chance.integers(len(loads), size=2))
    return other if loads[other] < loads[one] else one
