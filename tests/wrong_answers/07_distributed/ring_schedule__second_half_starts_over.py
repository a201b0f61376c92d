"""In the second half a rank first sends the chunk that it finished last"""


def ring_schedule(rank, ranks):
    half = [
        ((rank - step) % ranks, (rank - step - 1) % ranks) for step in range(ranks - 1)
    ]
    return [Move(*pair, add) for add in (True, False) for pair in half]
