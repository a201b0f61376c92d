"""Child processes: a health check, a deadline, captured logs, and a certain end."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest
from labkit.processes import Child, ChildError, module


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


SLEEP = "import time; print('up', flush=True); time.sleep(60)"


def alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    if status.exists():
        return status.read_text().rsplit(")", 1)[1].split()[0] != "Z"
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def gone(pid: int) -> bool:
    for _ in range(200):
        if not alive(pid):
            return True
        time.sleep(0.01)
    return False


def test_the_log_holds_both_streams_and_the_exit_code_comes_back() -> None:
    code = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(4)"
    with Child(python(code)) as child:
        assert child.wait() == 4
    assert set(child.log().split()) == {"out", "err"}


def test_the_child_is_ready_inside_the_context_and_gone_after_it() -> None:
    with Child(python(SLEEP), ready=lambda child: "up" in child.log()) as child:
        assert alive(child.pid)
    assert gone(child.pid)
    child.end()


def test_a_real_kill_shows_in_the_exit_code() -> None:
    with Child(python(SLEEP)) as child:
        child.wait_for("up")
        child.kill()
        assert child.wait() == -signal.SIGKILL


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_it_ends_when_the_cell_raises(error: type[BaseException]) -> None:
    with pytest.raises(error), Child(python(SLEEP)) as child:
        raise error
    assert gone(child.pid)


def test_it_ends_when_it_ignores_the_request() -> None:
    code = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEP
    with Child(python(code)) as child:
        child.wait_for("up")
        started = time.monotonic()
    assert gone(child.pid) and time.monotonic() - started < 20


def test_a_stopped_child_ends_too() -> None:
    with Child(python(SLEEP)) as child:
        child.wait_for("up")
        child.kill(signal.SIGSTOP)
    assert gone(child.pid)


def test_its_own_children_end_with_it() -> None:
    code = (
        "import subprocess, sys, time; "
        f"p = subprocess.Popen([sys.executable, '-c', {SLEEP!r}]); "
        "print('grandchild', p.pid, flush=True); time.sleep(60)"
    )
    with Child(python(code)) as child:
        child.wait_for("grandchild")
        child.wait_for("up")
        pid = int(child.log().split("grandchild ")[1].split()[0])
    assert gone(child.pid) and gone(pid)


def test_the_deadline_is_kept_and_said() -> None:
    with Child(python(SLEEP), deadline_s=1) as child:
        child.wait_for("up")
        with pytest.raises(ChildError, match=r"still running after 1 s(.|\n)*up"):
            child.wait()
    assert gone(child.pid)


def test_a_deadline_without_anybody_waiting() -> None:
    with Child(python(SLEEP), deadline_s=0.5) as child:
        assert gone(child.pid)


def test_a_child_that_dies_early_is_reported_with_its_log() -> None:
    code = "raise SystemExit('no port left')"
    with (
        pytest.raises(ChildError, match=r"not ready; it ended with 1(.|\n)*no port"),
        Child(python(code), ready=lambda child: "up" in child.log()),
    ):
        pass


def test_a_text_that_never_comes() -> None:
    with (
        Child(python("print('other')")) as child,
        pytest.raises(ChildError, match="did not write 'up'"),
    ):
        child.wait_for("up")


def test_module_runs_in_this_environment_with_the_labs_on_the_path() -> None:
    assert module("a.b", 1, Path("x")) == [sys.executable, "-m", "a.b", "1", "x"]
    code = "import flightline, labkit, os; print(os.environ['X'])"
    with Child(python(code), env={"X": "42"}) as child:
        assert child.wait() == 0
    assert child.log() == "42\n"
