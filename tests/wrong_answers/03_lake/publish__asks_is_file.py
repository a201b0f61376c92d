"""The second writer replaced the first one's entry"""


def publish(draft, path):
    if path.is_file():
        draft.unlink()
        raise Conflict(f"{path.stem} is taken")
    draft.rename(path)
