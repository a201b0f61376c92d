"""Wrong answers to `ring_schedule` (lab 07).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% always_adds
"""and take it as it is in the second"""


def ring_schedule(rank, ranks):
    return [
        Move((rank - step) % ranks, (rank - step - 1) % ranks, True)
        for step in range(2 * (ranks - 1))
    ]


# %% modulo_three
"""does an offset that you read off n = 3 depend on n?"""


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


# %% n_moves_a_half
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


# %% one_round
"""A rank makes 2 (n - 1) moves"""


def ring_schedule(rank, ranks):
    return [
        Move((rank - step) % ranks, (rank - step - 1) % ranks, True)
        for step in range(ranks - 1)
    ]


# %% second_half_starts_over
"""in the second half a rank first sends the chunk that it finished last"""


def ring_schedule(rank, ranks):
    half = [
        ((rank - step) % ranks, (rank - step - 1) % ranks) for step in range(ranks - 1)
    ]
    return [Move(*pair, add) for add in (True, False) for pair in half]


# %% wrong_way_round
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


# %% a_generator
"""Return a list of moves"""


def ring_schedule(rank, ranks):
    for step in range(2 * (ranks - 1)):
        shift = step // (ranks - 1)
        send = (rank - step % (ranks - 1) + shift) % ranks
        yield Move(send, (send - 1) % ranks, not shift)


# %% first_half_the_wrong_way
"""sends in a step what it added to in the step before"""


def ring_schedule(rank, ranks):
    first = [
        Move((rank + step) % ranks, (rank + step - 1) % ranks, True)
        for step in range(ranks - 1)
    ]
    second = [
        Move((rank - step + 1) % ranks, (rank - step) % ranks, False)
        for step in range(ranks - 1)
    ]
    return first + second


# %% past_the_last_chunk
"""they are numbered from 0 to n - 1"""


def ring_schedule(rank, ranks):
    first = [
        Move((rank - step) % ranks, (rank - step - 1) % ranks, True)
        for step in range(ranks - 1)
    ]
    second = [
        Move((rank - step) % ranks + 1, (rank - step) % ranks, False)
        for step in range(ranks - 1)
    ]
    return first + second


# %% plain_tuples
"""Make each move a Move(send, receive, add)"""


def ring_schedule(rank, ranks):
    first = [
        ((rank - step) % ranks, (rank - step - 1) % ranks, True)
        for step in range(ranks - 1)
    ]
    second = [
        ((rank - step + 1) % ranks, (rank - step) % ranks, False)
        for step in range(ranks - 1)
    ]
    return first + second
