"""A rank makes 2 (n - 1) moves"""


def ring_schedule(rank, ranks):
    return [
        Move((rank - step) % ranks, (rank - step - 1) % ranks, True)
        for step in range(ranks - 1)
    ]
