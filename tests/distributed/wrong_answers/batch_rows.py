"""Wrong answers to `batch_rows` (lab 07).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% batch_above_rows
"""or that is larger than the data"""


def batch_rows(step, *, rows, batch, rank, ranks, seed):
    if batch % ranks:
        raise ValueError(f"batch={batch} cannot be shared.")
    epoch, place = divmod(step, rows // batch)
    chance = torch.Generator().manual_seed(seed + epoch)
    order = torch.randperm(rows, generator=chance)
    return order[place * batch : (place + 1) * batch][rank::ranks]


# %% batch_of_each_rank
"""The batch counts the rows over all ranks"""


def batch_rows(step, *, rows, batch, rank, ranks, seed):
    epoch, place = divmod(step, rows // batch)
    chance = torch.Generator().manual_seed(seed + epoch)
    order = torch.randperm(rows, generator=chance)[rank::ranks]
    return order[place * batch : (place + 1) * batch]


# %% below_all_rows
"""A batch of exactly all rows is allowed"""


def batch_rows(step, *, rows, batch, rank, ranks, seed):
    if batch % ranks or batch >= rows:
        raise ValueError(f"batch={batch} cannot be shared.")
    epoch, place = divmod(step, rows // batch)
    chance = torch.Generator().manual_seed(seed + epoch)
    order = torch.randperm(rows, generator=chance)
    return order[place * batch : (place + 1) * batch][rank::ranks]


# %% blocks
"""Rank r takes every ranks-th row of the batch"""


def batch_rows(step, *, rows, batch, rank, ranks, seed):
    if batch % ranks or batch > rows:
        raise ValueError(f"batch={batch} cannot be shared.")
    epoch, place = divmod(step, rows // batch)
    chance = torch.Generator().manual_seed(seed + epoch)
    order = torch.randperm(rows, generator=chance)
    return order[place * batch : (place + 1) * batch].chunk(ranks)[rank]


# %% epoch_by_rows
"""Other rows than expected"""


def batch_rows(step, *, rows, batch, rank, ranks, seed):
    if batch % ranks or batch > rows:
        raise ValueError(f"batch={batch} cannot be shared.")
    epoch, place = step * batch // rows, step % (rows // batch)
    chance = torch.Generator().manual_seed(seed + epoch)
    order = torch.randperm(rows, generator=chance)
    return order[place * batch : (place + 1) * batch][rank::ranks]


# %% from_the_end
"""Other rows than expected"""


def batch_rows(step, *, rows, batch, rank, ranks, seed):
    if batch % ranks or batch > rows:
        raise ValueError(f"batch={batch} cannot be shared.")
    epoch, place = divmod(step, rows // batch)
    chance = torch.Generator().manual_seed(seed + epoch)
    order = torch.randperm(rows, generator=chance)
    return order[rows - (place + 1) * batch : rows - place * batch][rank::ranks]


# %% global_seed
"""use a generator of your own"""


def batch_rows(step, *, rows, batch, rank, ranks, seed):
    if batch % ranks or batch > rows:
        raise ValueError(f"batch={batch} cannot be shared.")
    epoch, place = divmod(step, rows // batch)
    torch.manual_seed(seed + epoch)
    order = torch.randperm(rows)
    return order[place * batch : (place + 1) * batch][rank::ranks]


# %% numpy_permutation
"""Other rows than expected"""


def batch_rows(step, *, rows, batch, rank, ranks, seed):
    if batch % ranks or batch > rows:
        raise ValueError(f"batch={batch} cannot be shared.")
    epoch, place = divmod(step, rows // batch)
    order = torch.from_numpy(np.random.default_rng(seed + epoch).permutation(rows))
    return order[place * batch : (place + 1) * batch][rank::ranks]


# %% other_seed
"""Other rows than expected"""


def batch_rows(step, *, rows, batch, rank, ranks, seed):
    if batch % ranks or batch > rows:
        raise ValueError(f"batch={batch} cannot be shared.")
    epoch, place = divmod(step, rows // batch)
    chance = torch.Generator().manual_seed(1000 * seed + epoch)
    order = torch.randperm(rows, generator=chance)
    return order[place * batch : (place + 1) * batch][rank::ranks]


# %% own_shuffle
"""Together the ranks must take the very batch of one process"""


def batch_rows(step, *, rows, batch, rank, ranks, seed):
    if batch % ranks or batch > rows:
        raise ValueError(f"batch={batch} cannot be shared.")
    epoch, place = divmod(step, rows // batch)
    chance = torch.Generator().manual_seed(seed + epoch + 100 * rank)
    order = torch.randperm(rows, generator=chance)
    share = batch // ranks
    return order[place * share : (place + 1) * share]


# %% rounds_up
"""Other rows than expected"""


def batch_rows(step, *, rows, batch, rank, ranks, seed):
    if batch % ranks or batch > rows:
        raise ValueError(f"batch={batch} cannot be shared.")
    epoch, place = divmod(step, -(-rows // batch))
    chance = torch.Generator().manual_seed(seed + epoch)
    order = torch.randperm(rows, generator=chance)
    return order[place * batch : (place + 1) * batch][rank::ranks]


# %% same_order_every_epoch
"""seed each epoch with seed + epoch"""


def batch_rows(step, *, rows, batch, rank, ranks, seed):
    if batch % ranks or batch > rows:
        raise ValueError(f"batch={batch} cannot be shared.")
    place = step % (rows // batch)
    order = torch.randperm(rows, generator=torch.Generator().manual_seed(seed))
    return order[place * batch : (place + 1) * batch][rank::ranks]


# %% uneven
"""A batch that cannot be shared evenly"""


def batch_rows(step, *, rows, batch, rank, ranks, seed):
    epoch, place = divmod(step, rows // batch)
    chance = torch.Generator().manual_seed(seed + epoch)
    order = torch.randperm(rows, generator=chance)
    return order[place * batch : (place + 1) * batch][rank::ranks]
