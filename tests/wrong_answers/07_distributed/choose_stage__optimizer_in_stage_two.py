"""gradients and optimizer are a ranks-th"""


def choose_stage(params, ranks, memory_bytes):
    for stage, whole in enumerate((16, 4, 4, 0)):
        if (whole + (16 - whole) / ranks) * params <= memory_bytes:
            return stage
    raise ValueError(f"Use {int(np.ceil(16 * params / memory_bytes))} ranks.")
