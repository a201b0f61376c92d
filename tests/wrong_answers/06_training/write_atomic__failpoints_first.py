"""exactly half of the bytes must have left Python"""


def write_atomic(path, content):
    draft = path.with_name(f".{path.name}.draft")
    failpoint("checkpoint-half")
    failpoint("checkpoint-draft")
    failpoint("checkpoint-named")
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
