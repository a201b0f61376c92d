"""A batch of exactly all rows is allowed"""


def batch_rows(step, *, rows, batch, rank, ranks, seed):
    if batch % ranks or batch >= rows:
        raise ValueError(f"batch={batch} cannot be shared.")
    epoch, place = divmod(step, rows // batch)
    chance = torch.Generator().manual_seed(seed + epoch)
    order = torch.randperm(rows, generator=chance)
    return order[place * batch : (place + 1) * batch][rank::ranks]
