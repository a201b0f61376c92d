"""You looked at more than two replicas"""


def choose_of_two(loads, chance):
    return min(range(len(loads)), key=lambda number: loads[number])
