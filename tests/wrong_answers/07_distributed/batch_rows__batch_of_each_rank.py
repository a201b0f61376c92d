"""The batch counts the rows over all ranks"""


def batch_rows(step, *, rows, batch, rank, ranks, seed):
    epoch, place = divmod(step, rows // batch)
    chance = torch.Generator().manual_seed(seed + epoch)
    order = torch.randperm(rows, generator=chance)[rank::ranks]
    return order[place * batch : (place + 1) * batch]
