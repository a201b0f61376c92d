"""descriptor was left open. Close it all the same"""


def write_atomic(path, content):
    draft = path.with_name(f".{path.name}.draft")
    half = len(content) // 2
    try:
        stream = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.write(stream, content[:half])
        failpoint("checkpoint-half")
        os.write(stream, content[half:])
        os.fsync(stream)
        os.close(stream)
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
