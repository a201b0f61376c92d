"""A batch that cannot be shared evenly"""


def batch_rows(step, *, rows, batch, rank, ranks, seed):
    epoch, place = divmod(step, rows // batch)
    chance = torch.Generator().manual_seed(seed + epoch)
    order = torch.randperm(rows, generator=chance)
    return order[place * batch : (place + 1) * batch][rank::ranks]
