"""The second writer replaced the first one's entry"""


def publish(draft, path):
    if path.exists():
        draft.unlink()
        raise Conflict(f"{path.stem} is taken")
    draft.rename(path)
