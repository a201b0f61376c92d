"""Wrong answers to `choose_stage` (lab 07).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% always_eight
"""wrong at the limits for 4"""


def choose_stage(params, ranks, memory_bytes):
    holds = (16, 4 + 12 / 8, 2 + 14 / 8, 16 / 8)
    for stage, each in enumerate(holds):
        if each * params <= memory_bytes:
            return stage
    raise ValueError(f"Use {int(np.ceil(16 * params / memory_bytes))} ranks.")


# %% always_full
"""16 bytes a parameter fit without sharding"""


def choose_stage(params, ranks, memory_bytes):
    if 16 * params / ranks <= memory_bytes:
        return 3
    raise ValueError(f"Use {int(np.ceil(16 * params / memory_bytes))} ranks.")


# %% floor_of_ranks
"""says how many ranks would do"""


def choose_stage(params, ranks, memory_bytes):
    holds = (16, 4 + 12 / ranks, 2 + 14 / ranks, 16 / ranks)
    for stage, each in enumerate(holds):
        if each * params <= memory_bytes:
            return stage
    raise ValueError(f"Use {int(16 * params // memory_bytes)} ranks.")


# %% gradients_first
"""Stage 1 shards the 12 bytes of the optimizer alone"""


def choose_stage(params, ranks, memory_bytes):
    for stage, whole in enumerate((16, 14, 2, 0)):
        if (whole + (16 - whole) / ranks) * params <= memory_bytes:
            return stage
    raise ValueError(f"Use {int(np.ceil(16 * params / memory_bytes))} ranks.")


# %% names_no_ranks
"""says how many ranks would do"""


def choose_stage(params, ranks, memory_bytes):
    holds = (16, 4 + 12 / ranks, 2 + 14 / ranks, 16 / ranks)
    for stage, each in enumerate(holds):
        if each * params <= memory_bytes:
            return stage
    raise ValueError(f"Use {140 * ranks} ranks.")


# %% never_refuses
"""says how many ranks would do"""


def choose_stage(params, ranks, memory_bytes):
    for stage, whole in enumerate((16, 4, 2)):
        if (whole + (16 - whole) / ranks) * params <= memory_bytes:
            return stage
    return 3


# %% optimizer_in_stage_two
"""gradients and optimizer are a ranks-th"""


def choose_stage(params, ranks, memory_bytes):
    for stage, whole in enumerate((16, 4, 4, 0)):
        if (whole + (16 - whole) / ranks) * params <= memory_bytes:
            return stage
    raise ValueError(f"Use {int(np.ceil(16 * params / memory_bytes))} ranks.")


# %% rounded_ranks
"""says how many ranks would do"""


def choose_stage(params, ranks, memory_bytes):
    holds = (16, 4 + 12 / ranks, 2 + 14 / ranks, 16 / ranks)
    for stage, each in enumerate(holds):
        if each * params <= memory_bytes:
            return stage
    raise ValueError(f"Use {round(16 * params / memory_bytes)} ranks.")


# %% shares_of_one_less
"""wrong at the limits for 4"""


def choose_stage(params, ranks, memory_bytes):
    holds = (16, 4 + 12 / (ranks - 1), 2 + 14 / ranks, 16 / ranks)
    for stage, each in enumerate(holds):
        if each * params <= memory_bytes:
            return stage
    raise ValueError(f"Use {int(np.ceil(16 * params / memory_bytes))} ranks.")


# %% stage_two_keeps_twelve
"""wrong at the limits for 4"""


def choose_stage(params, ranks, memory_bytes):
    holds = (16, 4 + 12 / ranks, 2 + 12 / ranks, 16 / ranks)
    for stage, each in enumerate(holds):
        if each * params <= memory_bytes:
            return stage
    raise ValueError(f"Use {int(np.ceil(16 * params / memory_bytes))} ranks.")
