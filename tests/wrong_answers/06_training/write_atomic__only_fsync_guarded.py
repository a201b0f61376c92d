"""Remove the draft wherever the refusal comes"""


def write_atomic(path, content):
    draft = path.with_name(f".{path.name}.draft")
    half = len(content) // 2
    with draft.open("wb", buffering=0) as stream:
        stream.write(content[:half])
        failpoint("checkpoint-half")
        stream.write(content[half:])
        try:
            os.fsync(stream.fileno())
        except OSError:
            draft.unlink()
            raise
    failpoint("checkpoint-draft")
    os.replace(draft, path)
    failpoint("checkpoint-named")
    place = os.open(path.parent, os.O_RDONLY)
    os.fsync(place)
    os.close(place)
