"""Wrong answers to `write_atomic` (lab 06).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% backup
"""Two renames"""


def write_atomic(path, content):
    draft = path.with_name(f".{path.name}.draft")
    half = len(content) // 2
    try:
        with draft.open("wb", buffering=0) as stream:
            stream.write(content[:half])
            failpoint("checkpoint-half")
            stream.write(content[half:])
            os.fsync(stream.fileno())
        failpoint("checkpoint-draft")
        backup = path.with_name(path.name + ".bak")
        if path.exists():
            os.replace(path, backup)
        os.replace(draft, path)
        backup.unlink(missing_ok=True)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    failpoint("checkpoint-named")
    place = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(place)
    finally:
        os.close(place)


# %% descriptor_left
"""every descriptor must be closed"""


def write_atomic(path, content):
    draft = path.with_name(f".{path.name}.draft")
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
    os.fsync(os.open(path.parent, os.O_RDONLY))


# %% descriptor_left_when_refused
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


# %% draft_elsewhere
"""The draft lies in another folder"""


import tempfile


def write_atomic(path, content):
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / path.name
        with draft.open("wb", buffering=0) as stream:
            stream.write(content[: len(content) // 2])
            failpoint("checkpoint-half")
            stream.write(content[len(content) // 2 :])
            os.fsync(stream.fileno())
        failpoint("checkpoint-draft")
        os.replace(draft, path)
    failpoint("checkpoint-named")
    place = os.open(path.parent, os.O_RDONLY)
    os.fsync(place)
    os.close(place)


# %% draft_left
"""Remove the draft"""


def write_atomic(path, content):
    draft = path.with_suffix(".draft")
    with draft.open("wb", buffering=0) as stream:
        stream.write(content[: len(content) // 2])
        failpoint("checkpoint-half")
        stream.write(content[len(content) // 2 :])
        os.fsync(stream.fileno())
    failpoint("checkpoint-draft")
    os.replace(draft, path)
    failpoint("checkpoint-named")
    place = os.open(path.parent, os.O_RDONLY)
    os.fsync(place)
    os.close(place)


# %% draft_point_before_sync
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


# %% draft_point_early
"""A failpoint is in the wrong place"""


def write_atomic(path, content):
    draft = path.with_name(f".{path.name}.draft")
    half = len(content) // 2
    try:
        with draft.open("wb", buffering=0) as stream:
            stream.write(content[:half])
            failpoint("checkpoint-half")
            failpoint("checkpoint-draft")
            stream.write(content[half:])
            os.fsync(stream.fileno())
        os.replace(draft, path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    failpoint("checkpoint-named")
    place = os.open(path.parent, os.O_RDONLY)
    os.fsync(place)
    os.close(place)


# %% exclusive
"""A draft that a kill left must not be in the way"""


def write_atomic(path, content):
    draft = path.with_name(f".{path.name}.draft")
    half = len(content) // 2
    try:
        with draft.open("xb", buffering=0) as stream:
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
    os.fsync(place)
    os.close(place)


# %% failpoints_first
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


# %% folder_descriptor_left
"""The folder could not be synced, and its descriptor was left open"""


def write_atomic(path, content):
    draft = path.with_name(f".{path.name}.draft")
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
    os.fsync(place)
    os.close(place)


# %% folder_error_hidden
"""The folder could not be synced"""


def write_atomic(path, content):
    draft = path.with_name(f".{path.name}.draft")
    half = len(content) // 2
    place = os.open(path.parent, os.O_RDONLY)
    try:
        with draft.open("wb", buffering=0) as stream:
            stream.write(content[:half])
            failpoint("checkpoint-half")
            stream.write(content[half:])
            os.fsync(stream.fileno())
        failpoint("checkpoint-draft")
        os.replace(draft, path)
        failpoint("checkpoint-named")
        os.fsync(place)
    except OSError:
        draft.unlink()
        raise
    finally:
        os.close(place)


# %% folder_error_swallowed
"""The folder could not be synced"""


def write_atomic(path, content):
    draft = path.with_name(f".{path.name}.draft")
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
    except OSError:
        pass
    finally:
        os.close(place)


# %% folder_not_synced
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


# %% half_synced
"""sync the draft when it is complete"""


def write_atomic(path, content):
    draft = path.with_name(f".{path.name}.draft")
    half = len(content) // 2
    try:
        with draft.open("wb", buffering=0) as stream:
            stream.write(content[:half])
            os.fsync(stream.fileno())
            failpoint("checkpoint-half")
            stream.write(content[half:])
        failpoint("checkpoint-draft")
        os.replace(draft, path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    failpoint("checkpoint-named")
    place = os.open(path.parent, os.O_RDONLY)
    os.fsync(place)
    os.close(place)


# %% in_place
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


# %% no_failpoints
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


# %% no_flush
"""Flush before os.fsync"""


def write_atomic(path, content):
    draft = path.with_name(f".{path.name}.draft")
    half = len(content) // 2
    try:
        with draft.open("wb") as stream:
            stream.write(content[:half])
            stream.flush()
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
    os.fsync(place)
    os.close(place)


# %% no_fsync
"""Call os.fsync on the open draft first"""


def write_atomic(path, content):
    draft = path.with_suffix(".draft")
    draft.write_bytes(content)
    failpoint("checkpoint-half")
    failpoint("checkpoint-draft")
    os.replace(draft, path)
    failpoint("checkpoint-named")


# %% old_file_removed
"""leave the older file alone"""


def write_atomic(path, content):
    draft = path.with_name(f".{path.name}.draft")
    half = len(content) // 2
    try:
        with draft.open("wb", buffering=0) as stream:
            stream.write(content[:half])
            failpoint("checkpoint-half")
            stream.write(content[half:])
            os.fsync(stream.fileno())
        failpoint("checkpoint-draft")
        path.unlink(missing_ok=True)
        os.rename(draft, path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    failpoint("checkpoint-named")
    place = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(place)
    finally:
        os.close(place)


# %% only_fsync_guarded
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


# %% other_draft_name
"""Call the draft .NAME.draft"""


def write_atomic(path, content):
    draft = path.with_name(path.name + ".tmp")
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
    os.fsync(place)
    os.close(place)


# %% rename_first
"""The rename came before the bytes were safe"""


def write_atomic(path, content):
    draft = path.with_suffix(".draft")
    with draft.open("wb", buffering=0) as stream:
        stream.write(content)
        failpoint("checkpoint-half")
        failpoint("checkpoint-draft")
        os.replace(draft, path)
        os.fsync(stream.fileno())
    failpoint("checkpoint-named")


# %% silent
"""Let the OSError through"""


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
        failpoint("checkpoint-named")
        place = os.open(path.parent, os.O_RDONLY)
        os.fsync(place)
        os.close(place)
    except OSError:
        draft.unlink(missing_ok=True)


# %% stem
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


# %% wrong_folder
"""sync the folder of the file"""


def write_atomic(path, content):
    draft = path.with_name(f".{path.name}.draft")
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
    place = os.open(".", os.O_RDONLY)
    os.fsync(place)
    os.close(place)
