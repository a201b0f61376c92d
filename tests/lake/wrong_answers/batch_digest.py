"""Wrong answers to `batch_digest` (lab 03).

Each cell is one mistake; its text is the hint it must meet.
"""


# %% bytes_as_they_came
"""A sender repeats in any order"""


def batch_digest(batch):
    return hashlib.sha256(batch.to_parquet(index=False)).hexdigest()


# %% a_name_by_chance
"""The same rows, and two names"""


def batch_digest(batch):
    return uuid.uuid4().hex


# %% columns_in_order
"""Columns may come in any order"""


def batch_digest(batch):
    rows = np.sort(pd.util.hash_pandas_object(batch, index=False).to_numpy())
    return hashlib.sha256(rows.tobytes()).hexdigest()


# %% index_in_it
"""The index is no part"""


def batch_digest(batch):
    columns = batch[sorted(batch.columns)]
    rows = np.sort(pd.util.hash_pandas_object(columns).to_numpy())
    return hashlib.sha256(rows.tobytes()).hexdigest()


# %% column_by_column
"""A value moved to another row"""


def batch_digest(batch):
    parts = [
        f"{name}: {batch[name].dtype} {sorted(map(repr, batch[name]))}"
        for name in sorted(batch.columns)
    ]
    return hashlib.sha256("".join(parts).encode()).hexdigest()


# %% xor
"""A row came twice more"""


def batch_digest(batch):
    columns = batch[sorted(batch.columns)]
    types = columns.dtypes.astype(str).to_dict()
    rows = pd.util.hash_pandas_object(columns, index=False).to_numpy()
    return f"{types} {np.bitwise_xor.reduce(rows):016x}"


# %% a_set_of_rows
"""A row came twice more"""


def batch_digest(batch):
    columns = batch[sorted(batch.columns)]
    types = columns.dtypes.astype(str).to_dict()
    rows = pd.util.hash_pandas_object(columns, index=False).unique()
    content = json.dumps(types).encode() + np.sort(rows).tobytes()
    return hashlib.sha256(content).hexdigest()


# %% names_left_out
"""The names of columns count"""


def batch_digest(batch):
    columns = batch[sorted(batch.columns)]
    kinds = str(list(columns.dtypes))
    rows = pd.util.hash_pandas_object(columns, index=False).to_numpy()
    return hashlib.sha256(kinds.encode() + np.sort(rows).tobytes()).hexdigest()


# %% values_as_text
"""types count"""


def batch_digest(batch):
    columns = batch[sorted(batch.columns)].astype(str)
    rows = columns.apply("|".join, axis=1)
    return hashlib.sha256(
        json.dumps([list(columns), sorted(rows)]).encode()
    ).hexdigest()


# %% objects_as_text
"""In a column of objects"""


def batch_digest(batch):
    columns = batch[sorted(batch.columns)]
    types = columns.dtypes.astype(str).to_dict()
    rows = pd.util.hash_pandas_object(columns, index=False).to_numpy()
    content = json.dumps(types).encode() + np.sort(rows).tobytes()
    return hashlib.sha256(content).hexdigest()


# %% set_and_length
"""Another row came twice"""


def batch_digest(batch):
    names = sorted(batch.columns)
    kinds = [str(batch[name].dtype) for name in names]
    rows = {repr(row) for row in batch[names].itertuples(index=False, name=None)}
    text = repr([names, kinds, sorted(rows), len(batch)])
    return hashlib.sha256(text.encode()).hexdigest()


# %% salted
"""another number in every process"""


def batch_digest(batch):
    names = sorted(batch.columns)
    kinds = tuple(str(batch[name].dtype) for name in names)
    rows = sorted(repr(row) for row in batch[names].itertuples(index=False, name=None))
    return str(hash((tuple(names), kinds, tuple(rows))))


# %% salted_row_by_row
"""another number in every process"""


def batch_digest(batch):
    names = sorted(batch.columns)
    kinds = [str(batch[name].dtype) for name in names]
    rows = batch[names].itertuples(index=False, name=None)
    return str([names, kinds, sorted([hash(repr(row)) for row in rows])])


# %% values_run_together
"""Values of a row ran together"""


def batch_digest(batch):
    names = sorted(batch.columns)
    kinds = [str(batch[name].dtype) for name in names]
    rows = batch[names].itertuples(index=False, name=None)
    text = repr([names, kinds, sorted("".join(map(repr, row)) for row in rows)])
    return hashlib.sha256(text.encode()).hexdigest()


# %% run_together_as_they_came
"""Values of a row ran together"""


def batch_digest(batch):
    names = sorted(batch.columns)
    kinds = [str(batch[name].dtype) for name in names]
    rows = batch[["flight", "delay", "gate"]].itertuples(index=False, name=None)
    text = repr([names, kinds, sorted("".join(map(repr, row)) for row in rows)])
    return hashlib.sha256(text.encode()).hexdigest()
