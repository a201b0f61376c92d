"""two separate intervals overlap"""


def worse_slices(challenger, champion, late, day, slices):
    worse = []
    for name in sorted(set(slices)):
        rows = np.asarray(slices) == name
        number = np.unique(day[rows], return_inverse=True)[1]
        new = interval(log_loss, challenger[rows], late[rows], number)
        old = interval(log_loss, champion[rows], late[rows], number)
        if new[0] > old[1]:
            worse.append(str(name))
    return worse
