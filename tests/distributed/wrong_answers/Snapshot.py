"""Wrong answers to `Snapshot` (lab 07).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% live_references
"""It changed while the training went on: copy what you keep"""


class Snapshot:
    def __init__(self, training):
        self.model = training.model.state_dict()
        self.optimizer = training.optimizer.state_dict()
        self.step = training.step
        self.random = torch.get_rng_state()

    def restore(self, other):
        other.model.load_state_dict(self.model)
        other.optimizer.load_state_dict(self.optimizer)
        other.step = self.step
        torch.set_rng_state(self.random)


# %% nothing_restored
"""The weights are not those of the moment of the snapshot"""


class Snapshot:
    def __init__(self, training):
        self.step = training.step

    def restore(self, other):
        other.step = self.step


# %% no_step
"""it would take the rows of step 0 again"""


class Snapshot:
    def __init__(self, training):
        self.model = copy.deepcopy(training.model.state_dict())
        self.optimizer = copy.deepcopy(training.optimizer.state_dict())
        self.random = torch.get_rng_state()

    def restore(self, other):
        other.model.load_state_dict(self.model)
        other.optimizer.load_state_dict(copy.deepcopy(self.optimizer))
        torch.set_rng_state(self.random)


# %% no_moments
"""The moments are lost: another next step"""


class Snapshot:
    def __init__(self, training):
        self.model = copy.deepcopy(training.model.state_dict())
        self.step = training.step
        self.random = torch.get_rng_state()

    def restore(self, other):
        other.model.load_state_dict(self.model)
        other.step = self.step
        torch.set_rng_state(self.random)


# %% live_moments
"""The optimizer's moments changed while the training went on"""


class Snapshot:
    def __init__(self, training):
        self.model = copy.deepcopy(training.model.state_dict())
        self.optimizer = training.optimizer.state_dict()
        self.step = training.step
        self.random = torch.get_rng_state()

    def restore(self, other):
        other.model.load_state_dict(self.model)
        other.optimizer.load_state_dict(self.optimizer)
        other.step = self.step
        torch.set_rng_state(self.random)


# %% no_random_numbers
"""dropout will draw other masks"""


class Snapshot:
    def __init__(self, training):
        self.model = copy.deepcopy(training.model.state_dict())
        self.optimizer = copy.deepcopy(training.optimizer.state_dict())
        self.step = training.step

    def restore(self, other):
        other.model.load_state_dict(self.model)
        other.optimizer.load_state_dict(copy.deepcopy(self.optimizer))
        other.step = self.step


# %% hands_out_its_own
"""The second restore differs: hand out copies"""


class Snapshot:
    def __init__(self, training):
        self.model = copy.deepcopy(training.model.state_dict())
        self.optimizer = copy.deepcopy(training.optimizer.state_dict())
        self.step = training.step
        self.random = torch.get_rng_state()

    def restore(self, other):
        other.model.load_state_dict(self.model)
        other.optimizer.load_state_dict(self.optimizer)
        other.step = self.step
        torch.set_rng_state(self.random)


# %% copied_apart
"""The optimizer steps other tensors"""


class Snapshot:
    def __init__(self, training):
        self.model = copy.deepcopy(training.model)
        self.optimizer = copy.deepcopy(training.optimizer)
        self.step = training.step
        self.random = torch.get_rng_state()

    def restore(self, other):
        other.model = copy.deepcopy(self.model)
        other.optimizer = copy.deepcopy(self.optimizer)
        other.step = self.step
        torch.set_rng_state(self.random)


# %% the_rate_of_a_new_training
"""The learning rate is that of a new training"""


class Snapshot:
    def __init__(self, training):
        self.model = copy.deepcopy(training.model.state_dict())
        self.moments = copy.deepcopy(training.optimizer.state_dict()["state"])
        self.step = training.step
        self.random = torch.get_rng_state()

    def restore(self, other):
        other.model.load_state_dict(self.model)
        groups = other.optimizer.state_dict()["param_groups"]
        state = {"state": copy.deepcopy(self.moments), "param_groups": groups}
        other.optimizer.load_state_dict(state)
        other.step = self.step
        torch.set_rng_state(self.random)


# %% a_new_training
"""`restore` must change the training that it is given"""


class Snapshot:
    def __init__(self, training):
        self.kept = copy.deepcopy(training)
        self.random = torch.get_rng_state()

    def restore(self, other):
        torch.set_rng_state(self.random)
        return copy.deepcopy(self.kept)
