"""The second writer was not told"""


def publish(draft, path):
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
