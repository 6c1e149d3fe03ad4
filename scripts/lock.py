"""Write requirements/lock*.txt from requirements/*.in: exact versions of everything, with SHA-256 hashes.

Usage: .venv/bin/python scripts/lock.py [--upgrade]

pip resolves and reports; nothing is installed. The versions of the present locks are kept unless `--upgrade` is given.
The hashes are those of the files that pip picks here, so the locks are good for one platform: Python 3.11 on
Linux x86-64.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "requirements"
HEAD = """# Made by scripts/lock.py from {sources}; do not edit. Python 3.11, Linux x86-64.
# Install with: pip install {flags}--require-hashes -r requirements/{name}
"""


def resolve(*flags: str) -> dict[str, tuple[str, str]]:
    """Ask pip what it would install: canonical name -> (version, SHA-256)."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet",
                   "--only-binary", ":all:", "--report", str(report), *flags]
        subprocess.run(command, check=True)
        installs = json.loads(report.read_text())["install"]
    return {re.sub(r"[-_.]+", "-", entry["metadata"]["name"]).lower():
            (entry["metadata"]["version"], entry["download_info"]["archive_info"]["hashes"]["sha256"])
            for entry in installs}


def write(name: str, sources: str, flags: str, found: dict[str, tuple[str, str]]) -> None:
    """Write one lock file, sorted by name."""
    lines = [f"{package}=={version} --hash=sha256:{digest}" for package, (version, digest) in sorted(found.items())]
    (FOLDER / name).write_text(HEAD.format(sources=sources, flags=flags, name=name) + "\n".join(lines) + "\n")
    print(f"{name}: {len(found)} packages")


def main() -> None:
    """Resolve runtime and dev together, so that they fit each other, then tell them apart."""
    runtime, dev, nodeps = (str(FOLDER / f"{name}.in") for name in ("runtime", "dev", "nodeps"))
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as kept:
        if "--upgrade" not in sys.argv[1:]:
            locks = [p.read_text() for p in (FOLDER / "lock.txt", FOLDER / "lock-dev.txt") if p.exists()]
            kept.write("\n".join(re.findall(r"^[\w.-]+==\S+", "".join(locks), re.MULTILINE)))
            kept.flush()
        everything = resolve("-c", kept.name, "-r", runtime, "-r", dev)
        needed = resolve("-c", kept.name, "-r", runtime)
    write("lock.txt", "runtime.in", "", {n: everything[n] for n in needed})
    write("lock-dev.txt", "dev.in (on top of lock.txt)", "", {n: v for n, v in everything.items() if n not in needed})
    write("lock-nodeps.txt", "nodeps.in", "--no-deps ", resolve("--no-deps", "-r", nodeps))


if __name__ == "__main__":
    main()
