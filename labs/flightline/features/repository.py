"""The store in a folder: what its registry declares, and how it is opened."""

import contextlib
import io
import logging
import os
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from flightline.features.compute import request_terms
from flightline.features.names import CATEGORICAL, REQUEST, SERVICES
from flightline.features.views import ENTITIES, VIEWS

if TYPE_CHECKING:
    import feast


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep Feast's progress bars, colours and warnings off the page."""
    logging.getLogger("feast").setLevel(logging.CRITICAL)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


def request_lists(inputs: Mapping[str, list[Any]]) -> dict[str, list[float]]:
    """Call `request_terms` on lists, which is how Feast hands over its inputs."""
    names = ("sched_dep_s", "sched_arr_s", "distance")
    terms = request_terms(*(np.array(inputs[name], np.float64) for name in names))
    return {name: values.tolist() for name, values in terms.items()}


def _fields(names: Sequence[str]) -> list[Any]:
    """Declare columns to Feast; those that are no key are numbers."""
    import feast
    from feast import types

    kinds = {**dict.fromkeys(ENTITIES, types.String), "flight": types.Int64}
    return [feast.Field(name=n, dtype=kinds.get(n, types.Float64)) for n in names]


def _view(folder: Path, name: str, entities: Mapping[str, Any]) -> Any:
    """Declare one view to Feast: a file, a push source beside it if it is streamed."""
    import feast
    from feast.data_format import ParquetFormat

    what, file = VIEWS[name], str(folder / "offline" / f"{name}.parquet")
    source: Any = feast.FileSource(
        name=f"{name}_file",
        path=file,
        file_format=ParquetFormat(),
        timestamp_field="event_time",
        created_timestamp_column="available_at",
    )
    if what.streamed:
        source = feast.PushSource(name=f"{name}_push", batch_source=source)
    tags = {
        "kind": "stream" if what.streamed else "batch",
        "version": str(what.version),
    }
    return feast.FeatureView(
        name=name,
        entities=[entities[key] for key in what.keys],
        source=source,
        schema=_fields([*what.keys, *what.features, f"{name}_at", f"{name}_known"]),
        owner=what.owner,
        ttl=None if what.ttl is None else what.ttl.to_pytimedelta(),
        tags=tags,
    )


def _terms() -> Any:
    """Declare the features that are computed when they are asked for."""
    import feast
    from feast.on_demand_feature_view import on_demand_feature_view

    def on_request(inputs: dict[str, Any]) -> dict[str, Any]:
        import importlib  # Feast keeps this function by value, in its registry

        module: Any = importlib.import_module("flightline.features")
        return dict(module.request_lists(inputs))

    asked = _fields(["sched_dep_s", "sched_arr_s", "distance"])
    sources: Any = [feast.RequestSource(name="request", schema=asked)]
    tags, schema = {"kind": "on demand", "version": "1"}, _fields(REQUEST)
    declare = on_demand_feature_view(
        name="request_terms",
        mode="python",
        sources=sources,
        schema=schema,
        tags=tags,
        owner="data science",
    )
    return declare(on_request)


def definitions(folder: Path) -> list[Any]:
    """Return what the registry holds: entities, views, services, and who may read."""
    import feast
    from feast.permissions.action import AuthzedAction as Action
    from feast.permissions.permission import Permission
    from feast.permissions.policy import RoleBasedPolicy

    kinds = dict.fromkeys(ENTITIES, feast.ValueType.STRING) | {
        "flight": feast.ValueType.INT64
    }
    entities = {
        k: feast.Entity(name=k, join_keys=[k], value_type=kinds[k]) for k in ENTITIES
    }
    views = {name: _view(folder, name, entities) for name in VIEWS}
    terms, found = _terms(), [*entities.values(), *views.values()]
    for name, features in SERVICES.items():
        held = {v: [n for n in VIEWS[v].features if n in features] for v in VIEWS}
        chosen = [views[v][[*names, f"{v}_at"]] for v, names in held.items() if names]
        found.append(
            feast.FeatureService(
                name=name, features=[*chosen, terms], owner="data science"
            )
        )
    for role, action in (
        ("serving", Action.READ_ONLINE),
        ("training", Action.READ_OFFLINE),
    ):
        policy, views_only = RoleBasedPolicy(roles=[role]), cast(Any, feast.FeatureView)
        found.append(
            Permission(name=role, types=views_only, actions=action, policy=policy)
        )
    return [*found, terms]


def store(path: Path | str, *, online: str | None = None) -> "feast.FeatureStore":
    """Open the feature store in a folder; the first call makes it.

    The registry is built aside and takes its place whole: a call that is interrupted
    leaves none, and the next one finishes the work.

    Parameters
    ----------
    path : path
        The folder. It holds the registry, the offline files and, with SQLite, the
        online store.
    online : str, optional
        "sqlite", or "redis://HOST:PORT". By default the environment variable
        FLIGHTLINE_ONLINE, or else "sqlite".

    Returns
    -------
    feast.FeatureStore

    Raises
    ------
    ValueError
        If `online` names no store that the course knows.
    """
    folder = Path(path).resolve()
    chosen = online or os.environ.get("FLIGHTLINE_ONLINE") or "sqlite"
    setting: dict[str, object] = {"type": "sqlite", "path": str(folder / "online.db")}
    if chosen.startswith("redis://"):
        address = chosen.removeprefix("redis://").rstrip("/")
        if not address:
            raise ValueError(f"online={chosen!r} names no server: redis://HOST:PORT.")
        setting = {"type": "redis", "connection_string": address}
        # Feast would drop a correction, whose event time is not newer; `push` compares
        setting["skip_dedup"] = True
    elif chosen != "sqlite":
        raise ValueError(f"online={chosen!r} is not 'sqlite' or 'redis://HOST:PORT'.")
    folder.mkdir(parents=True, exist_ok=True)
    registry = folder / "registry.db"
    if not _is_complete(folder, registry, setting):
        with tempfile.TemporaryDirectory(prefix=".registry-", dir=folder) as aside:
            draft = Path(aside) / registry.name
            # the import of Feast sets filters for warnings: not inside of `quiet`
            unfinished = _open(folder, draft, setting)
            with quiet():
                unfinished.apply(definitions(folder))
            draft.replace(registry)
    return _open(folder, registry, setting)


def _open(
    folder: Path, registry: Path, online: Mapping[str, object]
) -> "feast.FeatureStore":
    """Open a store with its registry in a file."""
    import feast

    config = feast.RepoConfig(
        project="flightline",
        provider="local",
        repo_path=folder,
        registry={"path": str(registry), "cache_ttl_seconds": 0},
        offline_store={"type": "duckdb"},
        online_store=dict(online),
        entity_key_serialization_version=3,
    )
    return feast.FeatureStore(config=config)


def offline_file(store: "feast.FeatureStore", view: str) -> Path:
    """Return the path of a view's file in the offline store."""
    return Path(str(store.config.repo_path)) / "offline" / f"{view}.parquet"


def _is_complete(folder: Path, registry: Path, online: Mapping[str, object]) -> bool:
    """Say whether a registry holds all that is declared, at this place.

    One that was cut short does not, nor one of an older version, nor one that came with
    a copied folder and still names the files of the first.
    """
    from google.protobuf.message import DecodeError

    if not registry.exists():
        return False
    try:
        opened = _open(folder, registry, online)
        views = {view.name: view for view in opened.list_feature_views()}
        services = {s.name: _reads(s) for s in opened.list_feature_services()}
    except DecodeError:
        return False
    return all(
        services.get(name, set()) >= set(wanted) - set(CATEGORICAL)
        for name, wanted in SERVICES.items()
    ) and all(
        name in views and _is_here(views[name], offline_file(opened, name))
        for name in VIEWS
    )


def _reads(service: Any) -> set[str]:
    """Return the features that a service reads."""
    parts = service.feature_view_projections
    return {field.name for part in parts for field in part.features}


def _is_here(view: Any, file: Path) -> bool:
    """Say whether a view is as it is declared, and reads from a file."""
    what, held = VIEWS[view.name], {field.name for field in view.features}
    stamps = {f"{view.name}_at", f"{view.name}_known"}
    ttl = view.ttl or None  # Feast keeps no TTL as one of zero
    return (
        held == {*what.features, *stamps}
        and ttl == (None if what.ttl is None else what.ttl.to_pytimedelta())
        and (view.owner, view.tags.get("version")) == (what.owner, str(what.version))
        and view.batch_source.path == str(file)
    )
