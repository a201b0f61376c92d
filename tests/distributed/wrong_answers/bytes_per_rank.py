"""Wrong answers to `bytes_per_rank` (lab 07).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% gradients_at_one
"""Stage 1 shards the optimizer alone"""


def bytes_per_rank(params, ranks, stage, each=(2, 2, 12)):
    cuts = {"parameters": stage >= 3, "gradients": stage >= 1, "optimizer": stage >= 1}
    return {
        name: params * size / (ranks if cut else 1)
        for (name, cut), size in zip(cuts.items(), each, strict=True)
    }


# %% optimizer_whole_at_two
"""Stage 2 shards gradients and, as before, optimizer"""


def bytes_per_rank(params, ranks, stage, each=(2, 2, 12)):
    cuts = {
        "parameters": stage == 3,
        "gradients": stage in (2, 3),
        "optimizer": stage in (1, 3),
    }
    return {
        name: params * size / (ranks if cut else 1)
        for (name, cut), size in zip(cuts.items(), each, strict=True)
    }


# %% parameters_whole_at_three
"""Stage 3 shards parameters too"""


def bytes_per_rank(params, ranks, stage, each=(2, 2, 12)):
    cuts = {"parameters": False, "gradients": stage >= 2, "optimizer": stage >= 1}
    return {
        name: params * size / (ranks if cut else 1)
        for (name, cut), size in zip(cuts.items(), each, strict=True)
    }


# %% always_sharded
"""Stage 0 shards nothing"""


def bytes_per_rank(params, ranks, stage, each=(2, 2, 12)):
    names = ("parameters", "gradients", "optimizer")
    return {n: params * size / ranks for n, size in zip(names, each, strict=True)}


# %% over_the_others
"""Stage 1 shards the optimizer alone, a ranks-th"""


def bytes_per_rank(params, ranks, stage, each=(2, 2, 12)):
    others = max(ranks - 1, 1)
    cuts = {"parameters": stage >= 3, "gradients": stage >= 2, "optimizer": stage >= 1}
    return {
        name: params * size / (others if cut else 1)
        for (name, cut), size in zip(cuts.items(), each, strict=True)
    }


# %% fixed_sizes
"""Use the sizes of `each`"""


def bytes_per_rank(params, ranks, stage, each=(2, 2, 12)):
    cuts = {"parameters": stage >= 3, "gradients": stage >= 2, "optimizer": stage >= 1}
    return {
        name: params * size / (ranks if cut else 1)
        for (name, cut), size in zip(cuts.items(), (2, 2, 12), strict=True)
    }


# %% swapped_sizes
"""`each` is parameter, gradient and optimizer state, in this order"""


def bytes_per_rank(params, ranks, stage, each=(2, 2, 12)):
    gradient, parameter, optimizer = each
    return {
        "parameters": params * parameter / (ranks if stage >= 3 else 1),
        "gradients": params * gradient / (ranks if stage >= 2 else 1),
        "optimizer": params * optimizer / (ranks if stage >= 1 else 1),
    }


# %% a_total_too
"""have the three that are asked for, and no more"""


def bytes_per_rank(params, ranks, stage, each=(2, 2, 12)):
    cuts = {"parameters": stage >= 3, "gradients": stage >= 2, "optimizer": stage >= 1}
    found = {
        name: params * size / (ranks if cut else 1)
        for (name, cut), size in zip(cuts.items(), each, strict=True)
    }
    return {**found, "total": sum(found.values())}


# %% another_name
"""have the three that are asked for"""


def bytes_per_rank(params, ranks, stage, each=(2, 2, 12)):
    cuts = {"weights": stage >= 3, "gradients": stage >= 2, "optimizer": stage >= 1}
    return {
        name: params * size / (ranks if cut else 1)
        for (name, cut), size in zip(cuts.items(), each, strict=True)
    }


# %% floor_division
"""divide, and round nothing"""


def bytes_per_rank(params, ranks, stage, each=(2, 2, 12)):
    cuts = {"parameters": stage >= 3, "gradients": stage >= 2, "optimizer": stage >= 1}
    return {
        name: (params // ranks if cut else params) * size
        for (name, cut), size in zip(cuts.items(), each, strict=True)
    }


# %% another_order
"""`each` is parameter, gradient and optimizer state, in this order"""


def bytes_per_rank(params, ranks, stage, each=(2, 2, 12)):
    parameter, optimizer, gradient = each
    return {
        "parameters": params * parameter / (ranks if stage >= 3 else 1),
        "gradients": params * gradient / (ranks if stage >= 2 else 1),
        "optimizer": params * optimizer / (ranks if stage >= 1 else 1),
    }


# %% a_tuple
"""Return a dict"""


def bytes_per_rank(params, ranks, stage, each=(2, 2, 12)):
    cuts = (stage >= 3, stage >= 2, stage >= 1)
    return tuple(
        params * size / (ranks if cut else 1)
        for cut, size in zip(cuts, each, strict=True)
    )
