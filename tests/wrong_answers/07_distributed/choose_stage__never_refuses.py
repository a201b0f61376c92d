"""says how many ranks would do"""


def choose_stage(params, ranks, memory_bytes):
    for stage, whole in enumerate((16, 4, 2)):
        if (whole + (16 - whole) / ranks) * params <= memory_bytes:
            return stage
    return 3
