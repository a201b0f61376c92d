"""Wrong answers to `read_in_time` (lab 08).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% no_deadline
"""The store hangs, and so do you"""


async def read_in_time(read, flight, deadline_s, fallback):
    try:
        return Read(await read(flight), "online", "")
    except LookupError:
        return Read(fallback(flight), "fallback", "")
    except Exception as error:
        return Read(fallback(flight), "fallback", type(error).__name__)


# %% falls_back_at_once
"""It came in time: use it"""


async def read_in_time(read, flight, deadline_s, fallback):
    return Read(fallback(flight), "fallback", "")


# %% timeouts_alone
"""Fall back whatever the store raises"""


async def read_in_time(read, flight, deadline_s, fallback):
    try:
        found = await asyncio.wait_for(read(flight), deadline_s)
        return Read(found, "online", "")
    except TimeoutError:
        return Read(fallback(flight), "fallback", "TimeoutError")
    except LookupError:
        return Read(fallback(flight), "fallback", "")


# %% a_list_of_errors
"""Nobody can list all errors"""


async def read_in_time(read, flight, deadline_s, fallback):
    try:
        found = await asyncio.wait_for(read(flight), deadline_s)
        return Read(found, "online", "")
    except LookupError:
        return Read(fallback(flight), "fallback", "")
    except (TimeoutError, OSError, ValueError, RuntimeError) as error:
        return Read(fallback(flight), "fallback", type(error).__name__)


# %% names_no_failure
"""Name what failed: a TimeoutError"""


async def read_in_time(read, flight, deadline_s, fallback):
    try:
        found = await asyncio.wait_for(read(flight), deadline_s)
        return Read(found, "online", "")
    except Exception:
        return Read(fallback(flight), "fallback", "")


# %% unknown_flight_fails
"""An unknown flight is an answer, no failure"""


async def read_in_time(read, flight, deadline_s, fallback):
    try:
        found = await asyncio.wait_for(read(flight), deadline_s)
        return Read(found, "online", "")
    except Exception as error:
        return Read(fallback(flight), "fallback", type(error).__name__)


# %% keeps_who_left
"""The caller left, and you went on"""


async def read_in_time(read, flight, deadline_s, fallback):
    try:
        found = await asyncio.wait_for(read(flight), deadline_s)
        return Read(found, "online", "")
    except LookupError:
        return Read(fallback(flight), "fallback", "")
    except BaseException as error:
        return Read(fallback(flight), "fallback", type(error).__name__)


# %% leaves_the_read_running
"""You stopped waiting: cancel the read, too"""


async def read_in_time(read, flight, deadline_s, fallback):
    task = asyncio.ensure_future(read(flight))
    done, _ = await asyncio.wait([task], timeout=deadline_s)
    if not done:
        return Read(fallback(flight), "fallback", "TimeoutError")
    try:
        return Read(task.result(), "online", "")
    except LookupError:
        return Read(fallback(flight), "fallback", "")
    except Exception as error:
        return Read(fallback(flight), "fallback", type(error).__name__)


# %% asks_twice
"""The store hangs, and so do you"""


async def read_in_time(read, flight, deadline_s, fallback):
    failure = ""
    for _ in range(2):
        try:
            found = await asyncio.wait_for(read(flight), deadline_s)
            return Read(found, "online", "")
        except LookupError:
            break
        except Exception as error:
            failure = type(error).__name__
    return Read(fallback(flight), "fallback", failure)


# %% a_deadline_of_its_own
"""Wait for as long as `deadline_s` says"""


async def read_in_time(read, flight, deadline_s, fallback):
    try:
        found = await asyncio.wait_for(read(flight), 0.25)
        return Read(found, "online", "")
    except LookupError:
        return Read(fallback(flight), "fallback", "")
    except Exception as error:
        return Read(fallback(flight), "fallback", type(error).__name__)


# %% key_errors_alone
"""An unknown flight is an answer, no failure"""


async def read_in_time(read, flight, deadline_s, fallback):
    try:
        found = await asyncio.wait_for(read(flight), deadline_s)
        return Read(found, "online", "")
    except KeyError:
        return Read(fallback(flight), "fallback", "")
    except Exception as error:
        return Read(fallback(flight), "fallback", type(error).__name__)


# %% leaves_an_orphan
"""The caller left, and the read goes on"""


async def read_in_time(read, flight, deadline_s, fallback):
    task = asyncio.create_task(read(flight))
    done, _ = await asyncio.wait([task], timeout=deadline_s)
    if not done:
        task.cancel()
        return Read(fallback(flight), "fallback", "TimeoutError")
    try:
        return Read(task.result(), "online", "")
    except LookupError:
        return Read(fallback(flight), "fallback", "")
    except Exception as error:
        return Read(fallback(flight), "fallback", type(error).__name__)


# %% catches_inside_the_block
"""Your deadline raises: put the `try` around it"""


async def read_in_time(read, flight, deadline_s, fallback):
    async with asyncio.timeout(deadline_s):
        try:
            return Read(await read(flight), "online", "")
        except LookupError:
            return Read(fallback(flight), "fallback", "")
        except Exception as error:
            return Read(fallback(flight), "fallback", type(error).__name__)


# %% lets_the_timeout_out
"""Your deadline raises"""


async def read_in_time(read, flight, deadline_s, fallback):
    try:
        found = await asyncio.wait_for(read(flight), deadline_s)
        return Read(found, "online", "")
    except LookupError:
        return Read(fallback(flight), "fallback", "")


# %% none_for_nothing
"""`failure` is "", never None"""


async def read_in_time(read, flight, deadline_s, fallback):
    failure = None
    try:
        found = await asyncio.wait_for(read(flight), deadline_s)
        return Read(found, "online", failure)
    except LookupError:
        pass
    except Exception as error:
        failure = type(error).__name__
    return Read(fallback(flight), "fallback", failure)


# %% none_for_an_unknown_flight
"""`failure` is "", never None"""


async def read_in_time(read, flight, deadline_s, fallback):
    try:
        found = await asyncio.wait_for(read(flight), deadline_s)
        return Read(found, "online", "")
    except LookupError:
        return Read(fallback(flight), "fallback", None)
    except Exception as error:
        return Read(fallback(flight), "fallback", type(error).__name__)
