"""What the registry of a store tells: catalogue, users, lineage, permissions."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import pandas as pd

from flightline.features.repository import offline_file, quiet
from flightline.features.writes import NOTE, digest, read_lineage

if TYPE_CHECKING:
    import feast


ACTIONS = ("READ_ONLINE", "READ_OFFLINE")


def allow(
    store: "feast.FeatureStore", roles: str | Collection[str], action: str
) -> "feast.FeatureStore":
    """Return the store to a caller with the right role, or refuse.

    Feast keeps permissions in its registry and enforces them in its servers, not in
    the library. This asks Feast's own rule, about all views, before a store is used.

    Parameters
    ----------
    store : feast.FeatureStore
    roles : str or collection of str
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
    ValueError
        If there is no such action.
    """
    from feast.errors import FeastPermissionError
    from feast.permissions.action import AuthzedAction
    from feast.permissions.enforcer import enforce_policy
    from feast.permissions.user import User

    if action not in ACTIONS:
        raise ValueError(f"no action {action!r}; there are {', '.join(ACTIONS)}.")
    held = [roles] if isinstance(roles, str) else list(roles)
    rules = store.list_permissions()
    views: Any = store.list_feature_views()
    try:
        with quiet():
            enforce_policy(rules, User("caller", held), views, [AuthzedAction[action]])
    except FeastPermissionError as error:
        who = ", ".join(held) or "nobody"
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
            "features": len(view.features) - 2,  # its two times are no features
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


def users(store: "feast.FeatureStore") -> pd.DataFrame:
    """List who reads each feature: the place to look before one writes it again.

    Parameters
    ----------
    store : feast.FeatureStore
        What `flightline.features.store` returns.

    Returns
    -------
    DataFrame
        Indexed by feature: its `view`, the view's `owner` and `keys`, and `services`,
        the names of the services that read it.
    """
    rows = {}
    for view in store.list_feature_views():
        for field in view.features:
            if field.name not in (f"{view.name}_at", f"{view.name}_known"):
                rows[field.name] = {
                    "view": view.name,
                    "owner": view.owner,
                    "keys": ", ".join(column.name for column in view.entity_columns),
                    "services": ", ".join(_readers(store, view.name, field.name)),
                }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("feature")


def _readers(store: "feast.FeatureStore", view: str, feature: str) -> list[str]:
    """Name the services that read a feature of a view."""
    return [
        service.name
        for service in store.list_feature_services()
        if any(
            part.name == view and feature in {field.name for field in part.features}
            for part in service.feature_view_projections
        )
    ]


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
        One row a step, raw files first: `step`, `name`, `detail`, and `intact`, False
        where the offline file is not the one that was recorded; null for the steps
        that are not looked at.

    Raises
    ------
    ValueError
        If no view holds the feature, its view has no rows yet, or the record of the
        files is damaged.
    """
    views = store.list_feature_views()
    held = [v for v in views if feature in {field.name for field in v.features}]
    if not held:
        raise ValueError(f"no view holds {feature!r}. See the catalogue.")
    view = held[0]
    file = offline_file(store, view.name)
    records = read_lineage(file.with_name(NOTE))
    if view.name not in records:
        raise ValueError(f"{view.name} has no rows yet: see `write_offline`.")
    record = records[view.name]
    intact = file.exists() and digest(file) == record["sha256"]
    steps: list[dict[str, Any]] = [
        _step("raw file", name, f"sha256 {sha[:8]}")
        for name, sha in record["made_from"].items()
    ]
    steps += [
        _step("offline rows", file.name, f"sha256 {record['sha256'][:8]}", intact),
        _step("view", view.name, f"version {view.tags['version']}, {view.owner}"),
        _step("online store", feature, store.config.online_store.type),
    ]
    services = _readers(store, view.name, feature)
    steps += [_step("service", name, "hands it out") for name in services]
    return pd.DataFrame(steps).astype({"intact": "boolean"})


def _step(
    step: str, name: str, detail: str, intact: bool | None = None
) -> dict[str, Any]:
    """Return one step of a lineage."""
    return {"step": step, "name": name, "detail": detail, "intact": intact}
