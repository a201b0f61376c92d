"""Talk to the kernel of an nbval run, and notice soon when it is dead."""

import ast
import time
from queue import Empty
from typing import Any

POLL_S = 0.5


class DeadKernelError(RuntimeError):
    """The kernel ended while somebody waited for its answer."""


class UnresponsiveError(RuntimeError):
    """The kernel gave no answer in time, not even when interrupted."""


def wait_for_reply(kernel: Any, msg_id: str, timeout: float | None) -> dict[str, Any]:
    """Wait for the reply to a request, looking every half second if the kernel lives.

    Parameters
    ----------
    kernel : nbval.kernel.RunningKernel
        The kernel that was asked.
    msg_id : str
        The request's id.
    timeout : float or None
        In seconds; None waits for ever.

    Returns
    -------
    dict
        The content of the reply.

    Raises
    ------
    queue.Empty
        If the time is over.
    DeadKernelError
        If the kernel ends first.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    while True:
        left = POLL_S if deadline is None else deadline - time.monotonic()
        if left <= 0:
            raise Empty
        try:
            message = kernel.get_message("shell", timeout=min(POLL_S, left))
        except Empty:
            if not kernel.is_alive():
                raise DeadKernelError(
                    "the kernel died while it ran this cell (killed, out of memory, or "
                    "a crash in native code). Run the cell alone to see why."
                ) from None
            continue
        if message["parent_header"].get("msg_id") == msg_id:
            return dict(message["content"])


def await_reply(kernel: Any, msg_id: str, timeout: float | None = None) -> None:
    """Stand in for `RunningKernel.await_reply`, which waits on a dead kernel."""
    content = wait_for_reply(kernel, msg_id, timeout)
    if content["status"] == "aborted":
        raise RuntimeError("Kernel aborted execution request")


def evaluate(kernel: Any, expression: str, timeout: float, grace: float) -> str:
    """Evaluate an expression in the kernel, beside the run of the notebook.

    No cell is executed and nothing is published, so that counts, history and outputs
    stay as they are. After `timeout` seconds the kernel is interrupted.

    Parameters
    ----------
    kernel : nbval.kernel.RunningKernel
        The kernel of the notebook.
    expression : str
        A Python expression whose value is a string.
    timeout : float
        In seconds.
    grace : float
        Seconds that the kernel then has to answer.

    Returns
    -------
    str
        The value; empty if the evaluation was interrupted.

    Raises
    ------
    DeadKernelError, UnresponsiveError
        If no answer comes.
    RuntimeError
        If the expression raises.
    """
    msg_id = kernel.kc.execute(
        "",
        silent=True,
        store_history=False,
        user_expressions={"value": expression},
        allow_stdin=False,
    )
    try:
        content = wait_for_reply(kernel, msg_id, timeout)
    except Empty:
        kernel.interrupt()
        try:
            content = wait_for_reply(kernel, msg_id, grace)
        except Empty:
            raise UnresponsiveError("interrupted, and no answer") from None
    value = content["user_expressions"]["value"]
    if value["status"] == "ok":
        return str(ast.literal_eval(value["data"]["text/plain"]))
    if value["ename"] == "KeyboardInterrupt":
        return ""
    raise RuntimeError(f"{value['ename']}: {value['evalue']}")
