"""A rank receives what the rank before it sends"""


def ring_schedule(rank, ranks):
    first = [
        Move((rank + step) % ranks, (rank + step + 1) % ranks, True)
        for step in range(ranks - 1)
    ]
    second = [
        Move((rank + step - 1) % ranks, (rank + step) % ranks, False)
        for step in range(ranks - 1)
    ]
    return first + second
