"""Wrong answers to `admit` (lab 08).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% body_first
"""A stranger made you read a body"""


def admit(request, door):
    body = door.body(request)
    caller = door.caller(request)
    door.spend(caller)
    door.size(request)
    return caller, door.flight(body)


# %% budget_before_key
"""A stranger spent lab's tokens"""


def admit(request, door):
    door.spend(request.key.partition(".")[0])
    caller = door.caller(request)
    door.size(request)
    return caller, door.flight(door.body(request))


# %% size_after_body
"""the head told you its size"""


def admit(request, door):
    caller = door.caller(request)
    door.spend(caller)
    body = door.body(request)
    door.size(request)
    return caller, door.flight(body)


# %% validates_before_the_budget
"""You validated for nobody: this caller's budget is used up"""


def admit(request, door):
    caller = door.caller(request)
    door.size(request)
    flight = door.flight(door.body(request))
    door.spend(caller)
    return caller, flight


# %% reads_before_the_budget
"""You read a body for a caller whose budget is used up"""


def admit(request, door):
    door.size(request)
    caller = door.caller(request)
    body = door.body(request)
    door.spend(caller)
    return caller, door.flight(body)


# %% validates_for_strangers
"""You validated for nobody: first see whose key it is"""


def admit(request, door):
    door.size(request)
    flight = door.flight(door.body(request))
    caller = door.caller(request)
    door.spend(caller)
    return caller, flight


# %% forgets_the_budget
"""Make each of the five checks once"""


def admit(request, door):
    caller = door.caller(request)
    door.size(request)
    return caller, door.flight(door.body(request))


# %% returns_the_flight_alone
"""Return the caller, then the flight"""


def admit(request, door):
    door.spend(door.caller(request))
    door.size(request)
    return door.flight(door.body(request))


# %% swallows_a_refusal
"""refused, and you went on"""


def admit(request, door):
    caller = flight = None
    try:
        caller = door.caller(request)
        door.spend(caller)
        door.size(request)
        flight = door.flight(door.body(request))
    except Exception:
        pass
    return caller, flight


# %% asks_twice
"""Make each of the five checks once"""


def admit(request, door):
    door.spend(door.caller(request))
    door.size(request)
    door.body(request)
    return door.caller(request), door.flight(door.body(request))


# %% spends_the_key
"""Spend the budget of the caller whose key it is"""


def admit(request, door):
    caller = door.caller(request)
    door.size(request)
    door.spend(request.key)
    return caller, door.flight(door.body(request))


# %% looks_at_the_key_alone
"""hand it the whole `request`"""


def admit(request, door):
    caller = door.caller(request.key)
    door.spend(caller)
    door.size(request)
    return caller, door.flight(door.body(request))


# %% reads_the_caller
"""hand it the whole `request`"""


def admit(request, door):
    caller = door.caller(request)
    door.spend(caller)
    door.size(request)
    return caller, door.flight(door.body(caller))


# %% validates_the_request
"""Validate what `door.body` returned"""


def admit(request, door):
    caller = door.caller(request)
    door.spend(caller)
    door.size(request)
    door.body(request)
    return caller, door.flight(request)


# %% reads_the_pieces_first
"""You read the pieces yourself"""


def admit(request, door):
    b"".join(request.pieces)
    caller = door.caller(request)
    door.spend(caller)
    door.size(request)
    return caller, door.flight(door.body(request))
