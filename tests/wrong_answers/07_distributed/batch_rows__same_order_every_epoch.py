"""seed each epoch with seed + epoch"""


def batch_rows(step, *, rows, batch, rank, ranks, seed):
    if batch % ranks or batch > rows:
        raise ValueError(f"batch={batch} cannot be shared.")
    place = step % (rows // batch)
    order = torch.randperm(rows, generator=torch.Generator().manual_seed(seed))
    return order[place * batch : (place + 1) * batch][rank::ranks]
