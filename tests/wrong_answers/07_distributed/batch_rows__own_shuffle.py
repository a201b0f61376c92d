"""Together the ranks must take the very batch of one process"""


def batch_rows(step, *, rows, batch, rank, ranks, seed):
    if batch % ranks or batch > rows:
        raise ValueError(f"batch={batch} cannot be shared.")
    epoch, place = divmod(step, rows // batch)
    chance = torch.Generator().manual_seed(seed + epoch + 100 * rank)
    order = torch.randperm(rows, generator=chance)
    share = batch // ranks
    return order[place * share : (place + 1) * share]
