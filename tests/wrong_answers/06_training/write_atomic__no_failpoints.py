"""Name all three"""


def write_atomic(path, content):
    draft = path.with_suffix(".draft")
    try:
        with draft.open("wb", buffering=0) as stream:
            stream.write(content)
            os.fsync(stream.fileno())
        os.replace(draft, path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    place = os.open(path.parent, os.O_RDONLY)
    os.fsync(place)
    os.close(place)
