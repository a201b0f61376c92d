"""and take it as it is in the second"""


def ring_schedule(rank, ranks):
    return [
        Move((rank - step) % ranks, (rank - step - 1) % ranks, True)
        for step in range(2 * (ranks - 1))
    ]
