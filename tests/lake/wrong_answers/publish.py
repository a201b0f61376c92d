"""Wrong answers to `publish` (lab 03).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% asks_is_file
"""between a question and a move another writer acts"""


def publish(draft, path):
    if path.is_file():
        draft.unlink()
        raise Conflict(f"{path.stem} is taken")
    draft.rename(path)


# %% copy
"""A copy grows under its final name"""


def publish(draft, path):
    try:
        with path.open("xb") as stream:
            stream.write(draft.read_bytes())
    except FileExistsError:
        raise Conflict(f"{path.stem} is taken") from None
    finally:
        draft.unlink()


# %% draft_left
"""The draft is still there"""


def publish(draft, path):
    try:
        os.link(draft, path)
    except FileExistsError:
        raise Conflict(f"{path.stem} is taken") from None


# %% lets_the_error_through
"""The second writer got FileExistsError"""


def publish(draft, path):
    try:
        os.link(draft, path)
    finally:
        draft.unlink()


# %% look_first
"""between a question and a move another writer acts"""


def publish(draft, path):
    if path.exists():
        draft.unlink()
        raise Conflict(f"{path.stem} is taken")
    draft.rename(path)


# %% replace
"""between a question and a move another writer acts"""


def publish(draft, path):
    os.replace(draft, path)


# %% silent
"""The second writer was not told"""


def publish(draft, path):
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


# %% empty_first
"""The final name was there before its content"""


def publish(draft, path):
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    except FileExistsError:
        draft.unlink()
        raise Conflict("taken") from None
    os.replace(draft, path)
