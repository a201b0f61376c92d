"""Wrong answers to `snapshot` (lab 06).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% live_references
"""it shares its tensors"""


def snapshot(run):
    saved = {name: getattr(run, name).state_dict() for name in STATES}
    return {
        **saved, "step": run.step, "seed": run.seed, "random": torch.get_rng_state()
    }  # fmt: skip


# %% more_than_asked
"""by the names of PIECES"""


def snapshot(run):
    saved = {name: getattr(run, name).state_dict() for name in STATES}
    saved |= {"step": run.step, "seed": run.seed, "random": torch.get_rng_state()}
    return copy.deepcopy(saved | {"batch": run.batch})


# %% no_optimizer
"""moments of the gradients"""


def snapshot(run):
    saved = {"network": run.network.state_dict(), "step": run.step, "seed": run.seed}
    return copy.deepcopy(saved | {"random": torch.get_rng_state()})


# %% no_random
"""dropout draws elsewhere"""


def snapshot(run):
    saved = {name: getattr(run, name).state_dict() for name in STATES}
    return copy.deepcopy(saved | {"step": run.step, "seed": run.seed})


# %% no_scheduler
"""the next step takes another rate"""


def snapshot(run):
    saved = {name: getattr(run, name).state_dict() for name in STATES[:2]}
    saved |= {"step": run.step, "seed": run.seed, "random": torch.get_rng_state()}
    return copy.deepcopy(saved)


# %% no_seed
"""The order of the rows follows"""


def snapshot(run):
    saved = {name: getattr(run, name).state_dict() for name in STATES}
    saved |= {"step": run.step, "random": torch.get_rng_state()}
    return copy.deepcopy(saved)


# %% objects
"""an object that no file should"""


def snapshot(run):
    saved = {name: getattr(run, name) for name in STATES}
    saved |= {"step": run.step, "seed": run.seed, "random": torch.get_rng_state()}
    return copy.deepcopy(saved)


# %% shallow
"""it shares its tensors"""


def snapshot(run):
    saved = {name: dict(getattr(run, name).state_dict()) for name in STATES}
    saved |= {"step": run.step, "seed": run.seed, "random": torch.get_rng_state()}
    return saved


# %% the_next_step
"""ends in other weights"""


def snapshot(run):
    saved = {name: getattr(run, name).state_dict() for name in STATES}
    saved |= {"step": run.step + 1, "seed": run.seed, "random": torch.get_rng_state()}
    return copy.deepcopy(saved)


# %% weights_alone
"""moments of the gradients"""


def snapshot(run):
    return {"network": copy.deepcopy(run.network.state_dict())}


# %% a_seed_for_a_state
"""how far torch has drawn"""


def snapshot(run):
    saved = {name: getattr(run, name).state_dict() for name in STATES}
    saved |= {"step": run.step, "seed": run.seed, "random": torch.initial_seed()}
    return copy.deepcopy(saved)


# %% the_seed_of_the_process
"""Save the seed of the run"""


def snapshot(run):
    saved = {name: getattr(run, name).state_dict() for name in STATES}
    saved |= {"step": run.step, "seed": torch.initial_seed()}
    return copy.deepcopy(saved | {"random": torch.get_rng_state()})
