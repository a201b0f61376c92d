"""NAME with its suffix"""


def write_atomic(path, content):
    draft = path.with_name(f".{path.stem}.draft")
    half = len(content) // 2
    try:
        with draft.open("wb", buffering=0) as stream:
            stream.write(content[:half])
            failpoint("checkpoint-half")
            stream.write(content[half:])
            os.fsync(stream.fileno())
        failpoint("checkpoint-draft")
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
