"""The draft is still there"""


def publish(draft, path):
    try:
        os.link(draft, path)
    except FileExistsError:
        raise Conflict(f"{path.stem} is taken") from None
