"""says how many ranks would do"""


def choose_stage(params, ranks, memory_bytes):
    holds = (16, 4 + 12 / ranks, 2 + 14 / ranks, 16 / ranks)
    for stage, each in enumerate(holds):
        if each * params <= memory_bytes:
            return stage
    raise ValueError(f"Use {round(16 * params / memory_bytes)} ranks.")
