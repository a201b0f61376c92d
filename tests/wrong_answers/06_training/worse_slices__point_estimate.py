"""`noisy` had one terrible day"""


def worse_slices(challenger, champion, late, day, slices):
    worse = []
    for name in sorted(set(slices)):
        rows = np.asarray(slices) == name
        if log_loss(challenger[rows], late[rows]) > log_loss(champion[rows], late[rows]):
            worse.append(str(name))
    return worse
