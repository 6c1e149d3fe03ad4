"""Kill import, render, approval and release at 50 random points, and see what is left. `--quick`: 8."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from facedouble.store import agent
from tests.project import killing
from tests.project.killing import Killed
from tests.project.whole import desk_at, everything_done

SEED = 7


def main() -> None:
    """A table, one line for each, and how many were as they have to be."""
    count = 8 if "--quick" in sys.argv or os.environ.get("QUICK") else 50
    folder, runtime = (Path(tempfile.mkdtemp(dir="/tmp")) for _ in range(2))
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    started = time.monotonic()
    try:
        for name in ("desk", "elsewhere", "kills"):
            (folder / name).mkdir()
        whole = everything_done(desk_at(folder / "desk", runtime), folder / "elsewhere")
        print("| operation | killed at | left | the same command again | wrong |\n|---|---|---|---|---|", flush=True)
        found = killing.run(whole, folder / "kills", killing.shared_out(count), SEED, _line)
    finally:
        for left in (runtime / "facedouble").glob("*.sock"):
            agent.stop(left.stem)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(runtime, ignore_errors=True)
    good = sum(not one.wrong for one in found)
    print(f"\n{good}/{len(found)} as they have to be; {dict(Counter(one.operation for one in found))}; "
          f"{time.monotonic() - started:.0f} s")
    sys.exit(good != len(found))


def _line(one: Killed) -> None:
    print(f"| {one.operation} | {one.at} | {one.left or 'nothing'} | {one.again} | {'; '.join(one.wrong) or '–'} |", flush=True)


if __name__ == "__main__":
    main()
