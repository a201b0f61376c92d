"""16 bytes a parameter fit without sharding"""


def choose_stage(params, ranks, memory_bytes):
    if 16 * params / ranks <= memory_bytes:
        return 3
    raise ValueError(f"Use {int(np.ceil(16 * params / memory_bytes))} ranks.")
