"""What surrounds a feature store: its files, catalogue, lineage and permissions.

`python -m flightline.features FOLDER` prints the catalogue of the store in
a folder, `... FOLDER FEATURE` the way of one feature from raw file to served value.
"""

import argparse
import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from flightline.features import core

if TYPE_CHECKING:
    import feast


def digest(path: Path | str) -> str:
    """Return the sha256 of a file."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def write_offline(
    path: Path | str, rows: Mapping[str, pd.DataFrame], made_from: Mapping[str, str]
) -> None:
    """Write the rows of views as the offline store's files, with their lineage.

    Parameters
    ----------
    path : path
        The folder of the store.
    rows : mapping of str to DataFrame
        What `timeline` returns, by the name of the view.
    made_from : mapping of str to str
        The raw files that the rows were made from, each with its sha256.
    """
    folder = Path(path).resolve()
    (folder / "offline").mkdir(parents=True, exist_ok=True)
    note = folder / "offline" / "lineage.json"
    record = json.loads(note.read_text()) if note.exists() else {}
    for view, table in rows.items():
        table.to_parquet((folder / "offline" / f"{view}.parquet"), index=False)
        own = {
            "rows": len(table),
            "sha256": digest(folder / "offline" / f"{view}.parquet"),
        }
        record[view] = {**own, "made_from": dict(made_from)}
    note.write_text(json.dumps(record, indent=1))


def allow(
    store: "feast.FeatureStore", roles: Collection[str], action: str
) -> "feast.FeatureStore":
    """Return the store to a caller with the right role, or refuse.

    Feast keeps permissions in its registry and enforces them in its servers, not in
    the library. This asks Feast's own rule, about all views, before a store is used.

    Parameters
    ----------
    store : feast.FeatureStore
    roles : collection of str
        The roles of the caller.
    action : str
        READ_ONLINE or READ_OFFLINE.

    Returns
    -------
    feast.FeatureStore
        The same store.

    Raises
    ------
    PermissionError
        If no role allows the action.
    """
    from feast.errors import FeastPermissionError
    from feast.permissions.action import AuthzedAction
    from feast.permissions.enforcer import enforce_policy
    from feast.permissions.user import User

    rules = store.list_permissions()
    views: Any = store.list_feature_views()
    try:
        with core.quiet():
            enforce_policy(
                rules, User("caller", list(roles)), views, [AuthzedAction[action]]
            )
    except FeastPermissionError as error:
        who = ", ".join(roles) or "nobody"
        raise PermissionError(f"{who} may not {action}: {error}") from error
    return store


def catalog(store: "feast.FeatureStore") -> pd.DataFrame:
    """List the views of the registry: what they hold, whose they are, how they are fed.

    Parameters
    ----------
    store : feast.FeatureStore
        What `flightline.features.store` returns.

    Returns
    -------
    DataFrame
        Indexed by view: `keys`, `features` (how many), `kind`, `ttl`, `owner` and
        `version`.
    """
    rows = [
        {
            "view": view.name,
            "keys": ", ".join(column.name for column in view.entity_columns),
            "features": len(view.features) - 1,  # its own time is not a feature
            "kind": view.tags["kind"],
            "ttl": f"{view.ttl.total_seconds() / 3600:.0f} h" if view.ttl else "none",
            "owner": view.owner,
            "version": int(view.tags["version"]),
        }
        for view in store.list_feature_views()
    ]
    rows += [
        {
            "view": view.name,
            "keys": "the request",
            "features": len(view.features),
            "kind": view.tags["kind"],
            "ttl": "none",
            "owner": view.owner,
            "version": int(view.tags["version"]),
        }
        for view in store.list_on_demand_feature_views()
    ]
    return pd.DataFrame(rows).set_index("view").sort_values(["kind", "owner"])


def lineage(store: "feast.FeatureStore", feature: str) -> pd.DataFrame:
    """Follow a stored feature from the raw files to what a service hands out.

    Parameters
    ----------
    store : feast.FeatureStore
        What `flightline.features.store` returns.
    feature : str
        A feature of a view; the time of a row, `<view>_at`, will do.

    Returns
    -------
    DataFrame
        One row a step, raw files first: `step`, `name`, `detail`, and `intact`,
        False where a file is not the one that was recorded.

    Raises
    ------
    ValueError
        If no view holds the feature.
    """
    views = store.list_feature_views()
    held = [v for v in views if feature in {field.name for field in v.features}]
    if not held:
        raise ValueError(f"no view holds {feature!r}. See the catalogue.")
    view = held[0]
    folder = Path(str(store.config.repo_path)) / "offline"
    record = json.loads((folder / "lineage.json").read_text())[view.name]
    file = folder / f"{view.name}.parquet"
    intact = file.exists() and digest(file) == record["sha256"]
    steps: list[dict[str, Any]] = [
        {"step": "raw file", "name": name, "detail": sha[:12], "intact": True}
        for name, sha in record["made_from"].items()
    ]
    steps += [
        _step("offline rows", file.name, record["sha256"][:12], intact),
        _step("view", view.name, f"version {view.tags['version']}, {view.owner}"),
        _step("online store", feature, store.config.online_store.type),
    ]
    services = [
        service.name
        for service in store.list_feature_services()
        if any(
            p.name == view.name and feature in {f.name for f in p.features}
            for p in service.feature_view_projections
        )
    ]
    steps += [_step("service", name, "hands it out") for name in services]
    return pd.DataFrame(steps)


def _step(step: str, name: str, detail: str, intact: bool = True) -> dict[str, Any]:
    """Return one step of a lineage."""
    return {"step": step, "name": name, "detail": detail, "intact": intact}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the catalogue of a store, or the lineage of one feature."""
    parser = argparse.ArgumentParser(description="Show what a feature store holds.")
    parser.add_argument("folder", type=Path, help="the folder of the store")
    parser.add_argument("feature", nargs="?", help="a feature, for its lineage")
    given = parser.parse_args(arguments)
    if not (given.folder / "registry.db").exists():
        print(f"{given.folder}: no registry.db there. Give the folder of a store.")
        return 1
    opened = core.store(given.folder)
    try:
        shown = lineage(opened, given.feature) if given.feature else catalog(opened)
    except ValueError as error:
        print(error)
        return 1
    print(shown.to_string())
    return 0
