"""wrong at the limits for 4"""


def choose_stage(params, ranks, memory_bytes):
    holds = (16, 4 + 12 / 8, 2 + 14 / 8, 16 / 8)
    for stage, each in enumerate(holds):
        if each * params <= memory_bytes:
            return stage
    raise ValueError(f"Use {int(np.ceil(16 * params / memory_bytes))} ranks.")
