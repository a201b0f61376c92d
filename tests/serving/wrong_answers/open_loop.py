"""Wrong answers to `open_loop` (lab 08).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% waits_for_each
"""A closed loop in disguise"""


async def open_loop(ask, due_s):
    clock = asyncio.get_running_loop().time
    start, ms = clock(), []
    for number, due in enumerate(due_s):
        await asyncio.sleep(start + due - clock())
        await ask(number)
        ms.append(1000 * (clock() - start - due))
    return ms


# %% all_at_once
"""You asked before it was due"""


async def open_loop(ask, due_s):
    clock = asyncio.get_running_loop().time

    async def one(number):
        start = clock()
        await ask(number)
        return 1000 * (clock() - start)

    return await asyncio.gather(*(one(number) for number in range(len(due_s))))


# %% from_the_sending
"""A request that left late has waited already"""


async def open_loop(ask, due_s):
    clock = asyncio.get_running_loop().time
    start = clock()

    async def one(number, due):
        await asyncio.sleep(start + due - clock())
        sent = clock()
        await ask(number)
        return 1000 * (clock() - sent)

    return await asyncio.gather(*(one(n, due) for n, due in enumerate(due_s)))


# %% sleeps_gaps
"""You drift: each sleep ends a little late"""


async def open_loop(ask, due_s):
    clock = asyncio.get_running_loop().time
    start, before, tasks = clock(), 0.0, []

    async def one(number, due):
        await ask(number)
        return 1000 * (clock() - start - due)

    for number, due in enumerate(due_s):
        await asyncio.sleep(due - before)
        before = due
        tasks.append(asyncio.create_task(one(number, due)))
    return await asyncio.gather(*tasks)


# %% another_clock
"""Do you look at another clock than the loop's?"""


async def open_loop(ask, due_s):
    import time

    clock = time.perf_counter
    start = clock()

    async def one(number, due):
        await asyncio.sleep(start + due - clock())
        await ask(number)
        return 1000 * (clock() - start - due)

    return await asyncio.gather(*(one(n, due) for n, due in enumerate(due_s)))


# %% seconds
"""Return milliseconds, not seconds"""


async def open_loop(ask, due_s):
    clock = asyncio.get_running_loop().time
    start = clock()

    async def one(number, due):
        await asyncio.sleep(start + due - clock())
        await ask(number)
        return clock() - start - due

    return await asyncio.gather(*(one(n, due) for n, due in enumerate(due_s)))


# %% in_order_of_the_answers
"""keep the order of `due_s`"""


async def open_loop(ask, due_s):
    clock = asyncio.get_running_loop().time
    start, ms = clock(), []

    async def one(number, due):
        await asyncio.sleep(start + due - clock())
        await ask(number)
        ms.append(1000 * (clock() - start - due))

    await asyncio.gather(*(one(n, due) for n, due in enumerate(due_s)))
    return ms


# %% from_the_start
"""Each was answered 500 ms after it was due"""


async def open_loop(ask, due_s):
    clock = asyncio.get_running_loop().time
    start = clock()

    async def one(number, due):
        await asyncio.sleep(start + due - clock())
        await ask(number)
        return 1000 * (clock() - start)

    return await asyncio.gather(*(one(n, due) for n, due in enumerate(due_s)))


# %% without_numbers
"""Call `ask` with the number of the request"""


async def open_loop(ask, due_s):
    clock = asyncio.get_running_loop().time
    start = clock()

    async def one(due):
        await asyncio.sleep(start + due - clock())
        await ask(0)
        return 1000 * (clock() - start - due)

    return await asyncio.gather(*(one(due) for due in due_s))


# %% waits_for_nobody
"""Return one time for each moment"""


async def open_loop(ask, due_s):
    clock = asyncio.get_running_loop().time
    start, tasks = clock(), []
    for number, due in enumerate(due_s):
        await asyncio.sleep(start + due - clock())
        tasks.append(asyncio.create_task(ask(number)))
    return [1000 * (clock() - start - due_s[-1])]


# %% a_dict
"""Return a list of milliseconds, no dict"""


async def open_loop(ask, due_s):
    clock = asyncio.get_running_loop().time
    start, ms = clock(), {}

    async def one(number, due):
        await asyncio.sleep(start + due - clock())
        await ask(number)
        ms[number] = 1000 * (clock() - start - due)

    await asyncio.gather(*(one(n, due) for n, due in enumerate(due_s)))
    return ms


# %% without_a_start
"""`due_s` counts from your start"""


async def open_loop(ask, due_s):
    clock = asyncio.get_running_loop().time

    async def one(number, due):
        await asyncio.sleep(due - clock())
        await ask(number)
        return 1000 * (clock() - due)

    return await asyncio.gather(*(one(n, due) for n, due in enumerate(due_s)))


# %% stops_everybody
"""`time.sleep` stops everybody"""


async def open_loop(ask, due_s):
    import time

    clock = asyncio.get_running_loop().time
    start, tasks = clock(), []

    async def one(number, due):
        await ask(number)
        return 1000 * (clock() - start - due)

    for number, due in enumerate(due_s):
        time.sleep(max(0.0, start + due - clock()))
        tasks.append(asyncio.create_task(one(number, due)))
    return await asyncio.gather(*tasks)


# %% asks_with_the_moment
"""Call `ask` with the number of the request"""


async def open_loop(ask, due_s):
    clock = asyncio.get_running_loop().time
    start = clock()

    async def one(due):
        await asyncio.sleep(start + due - clock())
        await ask(due)
        return 1000 * (clock() - start - due)

    return await asyncio.gather(*(one(due) for due in due_s))
