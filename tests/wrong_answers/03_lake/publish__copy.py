"""That is a copy"""


def publish(draft, path):
    try:
        with path.open("xb") as stream:
            stream.write(draft.read_bytes())
    except FileExistsError:
        raise Conflict(f"{path.stem} is taken") from None
    finally:
        draft.unlink()
