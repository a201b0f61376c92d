"""On a tie, take the first one drawn"""


def choose_of_two(loads, chance):
    one, other = sorted(int(number) for number in chance.choice(len(loads), size=2, replace=False))
    return other if loads[other] < loads[one] else one
