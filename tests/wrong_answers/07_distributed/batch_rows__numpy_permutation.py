"""Other rows than expected"""


def batch_rows(step, *, rows, batch, rank, ranks, seed):
    if batch % ranks or batch > rows:
        raise ValueError(f"batch={batch} cannot be shared.")
    epoch, place = divmod(step, rows // batch)
    order = torch.from_numpy(np.random.default_rng(seed + epoch).permutation(rows))
    return order[place * batch : (place + 1) * batch][rank::ranks]
