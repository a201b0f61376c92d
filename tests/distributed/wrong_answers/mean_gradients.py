"""Wrong answers to `mean_gradients` (lab 07).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% plain_mean
"""5 rows and 3 count alike here: weigh each rank by its rows"""


def mean_gradients(grads, rows):
    return [torch.stack(parts).mean(dim=0) for parts in zip(*grads, strict=True)]


# %% sums_up
"""the loss is a mean, and so is its gradient"""


def mean_gradients(grads, rows):
    return [torch.stack(parts).sum(dim=0) for parts in zip(*grads, strict=True)]


# %% sum_over_rows
"""That is a sum over rows: divide by all rows"""


def mean_gradients(grads, rows):
    return [
        sum(count * part for count, part in zip(rows, parts, strict=True))
        for parts in zip(*grads, strict=True)
    ]


# %% divides_by_ranks
"""Divide by all rows, not by the number of ranks"""


def mean_gradients(grads, rows):
    return [
        sum(count * part for count, part in zip(rows, parts, strict=True)) / len(rows)
        for parts in zip(*grads, strict=True)
    ]


# %% in_place
"""A rank's own gradients changed"""


def mean_gradients(grads, rows):
    first = grads[0]
    for place, total in enumerate(first):
        total.mul_(rows[0] / sum(rows))
        for rank in range(1, len(rows)):
            total.add_(grads[rank][place] * rows[rank] / sum(rows))
    return first


# %% one_vector
"""Return one tensor a parameter, of its own shape"""


def mean_gradients(grads, rows):
    flat = [torch.cat([part.reshape(-1) for part in rank]) for rank in grads]
    total = sum(count * part for count, part in zip(rows, flat, strict=True))
    return list((total / sum(rows)).reshape(-1, 1)[:, 0].unsqueeze(0))


# %% two_ranks_only
"""use every rank, however many there are"""


def mean_gradients(grads, rows):
    left, right = rows[0], rows[1]
    return [
        (left * a + right * b) / (left + right)
        for a, b in zip(grads[0], grads[1], strict=True)
    ]


# %% weighs_matrix_rows
"""and not the rows of the matrix"""


def mean_gradients(grads, rows):
    weights = torch.tensor(rows)[:, None]
    return [
        (torch.stack(parts) * weights).sum(0) / sum(rows)
        for parts in zip(*grads, strict=True)
    ]


# %% weighs_the_last_axis
"""multiply each rank's whole tensor by the number of its rows"""


def mean_gradients(grads, rows):
    return [
        (torch.stack(parts) * torch.tensor(rows)).sum(0) / sum(rows)
        for parts in zip(*grads, strict=True)
    ]


# %% plain_mean_of_matrices
"""a matrix as a vector"""


def mean_gradients(grads, rows):
    return [
        torch.stack(parts).mean(dim=0)
        if parts[0].ndim > 1
        else sum(n * part for n, part in zip(rows, parts, strict=True)) / sum(rows)
        for parts in zip(*grads, strict=True)
    ]
