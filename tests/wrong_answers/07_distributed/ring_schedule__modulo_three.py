"""count modulo `ranks` in every move, not modulo 3"""


def ring_schedule(rank, ranks):
    first = [
        Move((rank - step) % ranks, (rank - step - 1) % ranks, True)
        for step in range(ranks - 1)
    ]
    second = [
        Move((rank - step + 1) % 3, (rank - step) % 3, False)
        for step in range(ranks - 1)
    ]
    return first + second
