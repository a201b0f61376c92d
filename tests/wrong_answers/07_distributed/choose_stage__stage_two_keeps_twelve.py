"""wrong at the limits for 4"""


def choose_stage(params, ranks, memory_bytes):
    holds = (16, 4 + 12 / ranks, 2 + 12 / ranks, 16 / ranks)
    for stage, each in enumerate(holds):
        if each * params <= memory_bytes:
            return stage
    raise ValueError(f"Use {int(np.ceil(16 * params / memory_bytes))} ranks.")
