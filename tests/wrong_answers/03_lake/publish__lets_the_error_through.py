"""Catch it and raise Conflict"""


def publish(draft, path):
    try:
        os.link(draft, path)
    finally:
        draft.unlink()
