"""opened for writing"""


def write_atomic(path, content):
    with path.open("wb") as stream:
        stream.write(content[: len(content) // 2])
        failpoint("checkpoint-half")
        stream.write(content[len(content) // 2 :])
        stream.flush()
        os.fsync(stream.fileno())
    failpoint("checkpoint-draft")
    failpoint("checkpoint-named")
