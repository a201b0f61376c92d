"""The rename itself is not safe yet"""


def write_atomic(path, content):
    draft = path.with_suffix(".draft")
    try:
        with draft.open("wb", buffering=0) as stream:
            stream.write(content[: len(content) // 2])
            failpoint("checkpoint-half")
            stream.write(content[len(content) // 2 :])
            os.fsync(stream.fileno())
        failpoint("checkpoint-draft")
        os.replace(draft, path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    failpoint("checkpoint-named")
