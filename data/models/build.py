"""Rebuild the reference models: LightGBM as text, the network as ONNX, a manifest.

    python data/models/build.py            train on all rows, write here (minutes)
    python data/models/build.py --check    train, and compare with what is here

The check asks for the same AUC in June and July to a thousandth: on another processor
floats may be added in another order, so that the files need not be equal byte for byte.
"""

import argparse
import importlib.metadata
import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "labs"))

from flightline import training  # noqa: E402

RECIPES = {
    "delay_lightgbm": training.Recipe("lightgbm", seed=0),
    "delay_mlp": training.Recipe("mlp", seed=0),
}
LIBRARIES = ("lightgbm", "torch", "onnx", "onnxruntime", "numpy", "pandas")


def build(data_dir: Path, folder: Path) -> None:
    """Train both models on all rows and write them with their manifest."""
    table = training.load_table(data_dir)
    parts = training.split(table)
    about: dict[str, dict[str, object]] = {}
    models = []
    for name, recipe in RECIPES.items():
        print(f"{name}: training on {len(parts['train']):,} rows", flush=True)
        model = training.train_recipe(recipe, table, name=name, version="1")
        found = training.measure(model, table)
        about[name] = {"recipe": recipe.kind, "seed": recipe.seed} | {
            metric: {
                part: round(found[f"{part}_{metric}"], 5) for part in ("tune", "test")
            }
            for metric in training.METRICS
        }
        print(f"{name}: AUC {about[name]['auc']}, {len(model.content):,} bytes")
        models.append(model)
    sums = (data_dir / "SHA256SUMS").read_bytes()
    about[""] = {
        "rows": {name: len(part) for name, part in parts.items()},
        "data_sha256": training.sha256(sums),
        "made_with": {name: importlib.metadata.version(name) for name in LIBRARIES},
    }
    training.save_models(folder, models, about)


def check(built: Path, stored: Path) -> list[str]:
    """Return a complaint for each AUC that differs by a thousandth or more."""
    found = [
        {
            (entry["name"], part): entry["auc"][part]
            for entry in json.loads((folder / "models.json").read_text())["models"]
            for part in ("tune", "test")
        }
        for folder in (built, stored)
    ]
    return [
        f"{name}, {part}: {found[0][name, part]} built, {found[1][name, part]} stored"
        for name, part in found[1]
        if abs(found[0][name, part] - found[1][name, part]) >= 0.001
    ]


def main(arguments: list[str] | None = None) -> int:
    """Build the models, or compare a fresh build with the stored ones."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=HERE.parent)
    parser.add_argument("--out", type=Path, default=HERE)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args(arguments)
    if not options.check:
        build(options.data, options.out)
        return 0
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        build(options.data, Path(folder))
        complaints = check(Path(folder), options.out)
    print("\n".join(complaints) or "the same AUC to a thousandth")
    return 1 if complaints else 0


if __name__ == "__main__":
    raise SystemExit(main())
