"""A ring of one has nothing to send"""


def ring_schedule(rank, ranks):
    first = [
        Move((rank - step) % ranks, (rank - step - 1) % ranks, True)
        for step in range(ranks)
    ]
    second = [
        Move((rank - step + 1) % ranks, (rank - step) % ranks, False)
        for step in range(ranks)
    ]
    return first + second
