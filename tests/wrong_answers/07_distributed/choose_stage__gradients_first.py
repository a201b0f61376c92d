"""Stage 1 shards the 12 bytes of the optimizer alone"""


def choose_stage(params, ranks, memory_bytes):
    for stage, whole in enumerate((16, 14, 2, 0)):
        if (whole + (16 - whole) / ranks) * params <= memory_bytes:
            return stage
    raise ValueError(f"Use {int(np.ceil(16 * params / memory_bytes))} ranks.")
