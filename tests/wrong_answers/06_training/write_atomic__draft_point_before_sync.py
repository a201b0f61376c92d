"""The draft is on disk only after os.fsync"""


def write_atomic(path, content):
    draft = path.with_name(f".{path.name}.draft")
    half = len(content) // 2
    try:
        with draft.open("wb", buffering=0) as stream:
            stream.write(content[:half])
            failpoint("checkpoint-half")
            stream.write(content[half:])
            failpoint("checkpoint-draft")
            os.fsync(stream.fileno())
        os.replace(draft, path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    failpoint("checkpoint-named")
    place = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(place)
    finally:
        os.close(place)
