"""Execute labs in place, so that two runs differ in nothing that git sees.

`python -m tools.labs.execute 01` (or `lifecycle`, or the file's name) exports the
module of the lab, runs every cell in a fresh kernel of this environment with the lab's
folder as working directory, and stores the outputs. Timings, versions and widget state
are not recorded. If a cell fails, the notebook stays as it was.
"""

import argparse
import os
import re
import sys
import time
from pathlib import Path
from typing import Any

import ipykernel.kernelspec
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellControlSignal, DeadKernelError
from nbformat import NotebookNode

from tools.labs import export, notebooks
from tools.labs.notebooks import NotebookError, show

TIMEOUT_S = 120
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"
)


class ThisEnvironment(KernelSpecManager):
    """Kernels of the environment that runs the tool, whatever else is installed."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """Return the kernel of this interpreter, for any name."""
        return KernelSpec(
            resource_dir=ipykernel.kernelspec.RESOURCES,
            **ipykernel.kernelspec.get_kernel_dict(),
        )


def kernel_environment(folder: Path) -> dict[str, str]:
    """Return the environment of a lab's kernel.

    Parameters
    ----------
    folder : Path
        The working directory; modules there come before those of the course.

    Returns
    -------
    dict of str to str
        This process's environment with one thread, the labs' modules importable, and
        no drawing backend chosen: the kernel takes the one that shows figures.
    """
    kept = {key: value for key, value in os.environ.items() if key != "MPLBACKEND"}
    inherited = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    search = dict.fromkeys([str(folder), str(notebooks.LABS), *inherited])
    path = os.pathsep.join(entry for entry in search if entry)
    return {**kept, **ONE_THREAD, "PYTHONPATH": path}


def run(notebook: NotebookNode, folder: Path, **settings: Any) -> NotebookNode:
    """Execute a notebook in memory.

    Parameters
    ----------
    notebook : NotebookNode
        It is changed in place: outputs and execution counts.
    folder : Path
        The working directory of the kernel.
    **settings
        Further traits of `nbclient.NotebookClient`, such as `timeout`.

    Returns
    -------
    NotebookNode
        The same notebook.
    """
    manager = AsyncKernelManager(
        kernel_name="python3", kernel_spec_manager=ThisEnvironment()
    )
    client = NotebookClient(
        notebook,
        km=manager,
        resources={"metadata": {"path": str(folder)}},
        record_timing=False,
        coalesce_streams=True,
        store_widget_state=False,
        extra_arguments=["--log-level=ERROR"],
        **{"timeout": TIMEOUT_S, **settings},
    )
    return client.execute(env=kernel_environment(folder))


def tidy(notebook: NotebookNode) -> NotebookNode:
    """Renumber the executed cells from 1 and make the metadata constant."""
    counted = [c for _, c in notebooks.code_cells(notebook) if c.execution_count]
    for count, cell in enumerate(counted, start=1):
        cell.execution_count = count
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = count
    return notebooks.normalise(notebook)


def execute(path: Path) -> bool:
    """Export the module of a lab, execute the lab and store its outputs.

    Returns
    -------
    bool
        True if the stored notebook changed.

    Raises
    ------
    NotebookError
        If a cell fails, takes too long or ends the kernel; the file is left as it was.
    """
    notebook = notebooks.normalise(notebooks.read(path))
    export.export(path)
    started: list[int] = []
    try:
        run(
            notebook,
            path.resolve().parent,
            on_cell_start=lambda cell, cell_index: started.append(cell_index),
        )
    except (CellControlSignal, DeadKernelError) as error:
        index = started[-1] if started else 0
        raise NotebookError(
            f"{show(path)}, cell {index}: execution failed. The notebook stays as it "
            f"was. Mend the cell and run again.\n{COLOUR.sub('', str(error))}"
        ) from error
    return notebooks.write_text(path, notebooks.dumps(tidy(notebook)))


def main(arguments: list[str] | None = None) -> int:
    """Execute the named labs, or all of them, and print a line for each."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.labs.execute", description=__doc__
    )
    parser.add_argument("labs", nargs="*", metavar="LAB")
    try:
        chosen = [notebooks.named(lab) for lab in parser.parse_args(arguments).labs]
    except NotebookError as error:
        print(error, file=sys.stderr)
        return 1
    for path in chosen or notebooks.find_labs():
        start = time.monotonic()
        print(f"{show(path)}: ", end="", flush=True)
        try:
            state = "written" if execute(path) else "unchanged"
        except NotebookError as error:
            print("failed", flush=True)
            print(error, file=sys.stderr)
            return 1
        print(f"{state} after {time.monotonic() - start:.1f} s", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
