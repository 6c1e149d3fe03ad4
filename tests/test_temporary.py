"""No temporary files; tried in a child, because it cannot be undone."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FENCE = """
    import os, sqlite3, subprocess, sys, tempfile
    from pathlib import Path
    from facedouble.temporary import no_temporary_files
    film = Path("film"); film.mkdir()
    fence = no_temporary_files(Path("empty"), [film])
    assert fence.kernel or len(sys.argv) > 1, "no Landlock"
"""
LOUD = {
    "Python": "tempfile.NamedTemporaryFile()",
    "a folder": "tempfile.mkdtemp()",
    "by name, beside": "open('/tmp/facedouble-canary', 'w')",
    "by name, in the folder": "open('beside', 'w')",
    "over what is there": "open('there', 'w')",
    "another name for what is there": "os.link('there', 'film/linked')",
    "a child's own": "subprocess.run([sys.executable, '-c', 'import tempfile; tempfile.NamedTemporaryFile()'], check=True)",
    "a child of the shell": "subprocess.run(['mktemp'], check=True)",
    "C": "import ctypes; assert ctypes.CDLL(None).tmpfile(), os.strerror(13)",
    "a font list": "import matplotlib as m; open(Path(m.get_cachedir(), 'fontlist.json'), 'w')",
    "deleted": "os.unlink('there')",
    "renamed": "os.rename('there', 'gone')",
}


def child(code: str, folder: Path, *words: str, before: str = "") -> subprocess.CompletedProcess[str]:
    (folder / "there").write_text("kept")
    whole = "".join(map(textwrap.dedent, (before, FENCE, code)))
    return subprocess.run([sys.executable, "-c", whole, *words], capture_output=True, text=True, cwd=folder,
                          env={**os.environ, "PYTHONPATH": str(ROOT)})


@pytest.fixture(autouse=True)
def landlock(tmp_path_factory: pytest.TempPathFactory) -> None:
    done = child("", tmp_path_factory.mktemp("tried"))
    if "no Landlock" in done.stderr:
        pytest.skip("this kernel has no Landlock")


@pytest.mark.parametrize("way", LOUD)
def test_fails_loudly(way: str, tmp_path: Path) -> None:
    done = child(LOUD[way], tmp_path)
    assert done.returncode == 1, done.stdout
    assert any(said in done.stderr for said in ("enied", "Invalid cross-device link", "No usable temporary")), done.stderr
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["empty", "film", "there"]
    assert (tmp_path / "there").read_text() == "kept"
    assert not Path("/tmp/facedouble-canary").exists()


def test_what_has_to_work_works(tmp_path: Path) -> None:
    """The film's folder, its nameless files, pools of processes, devices, and the libraries that keep something."""
    code = """
        (film / "a").write_text("x"); os.rename(film / "a", film / "b"); os.link(film / "b", film / "c"); os.unlink(film / "b")
        draft = os.open(film, os.O_TMPFILE | os.O_RDWR, 0o600)
        os.write(draft, b"y")
        with open(f"/proc/self/fd/{draft}", "r+b") as again: again.write(b"z")
        folder = os.open(film, os.O_PATH)
        os.link(f"/proc/self/fd/{draft}", "d", src_dir_fd=draft, dst_dir_fd=folder, follow_symlinks=True)
        open("/dev/null", "w").write("x")
        from concurrent.futures import ProcessPoolExecutor
        from multiprocessing import get_context
        for way in ("fork", "spawn"):
            with ProcessPoolExecutor(1, get_context(way)) as pool:
                assert pool.submit(abs, -3).result() == 3
        database = sqlite3.connect(film / "e.sqlite"); database.execute("CREATE TABLE t (x)"); database.commit()
        import matplotlib.font_manager
    """
    done = child(code, tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "film" / "d").read_bytes() == b"z"
    assert sorted(path.name for path in (tmp_path / "film").iterdir()) == ["c", "d", "e.sqlite"]
    assert not list((tmp_path / "empty").iterdir())


def test_compiled_code_is_kept_and_found_again(tmp_path: Path) -> None:
    """numba gives up at import where it may keep nothing; what it keeps holds nothing of a film."""
    code = "from facedouble import colour, raster; print('imported')"
    done = child(code, tmp_path)
    assert done.stdout.strip() == "imported", done.stderr


def test_with_threads_only_the_environment_holds_and_it_is_said(tmp_path: Path) -> None:
    before = """
        import threading
        threading.Thread(target=threading.Event().wait, daemon=True).start()
    """
    code = "print(fence.kernel, fence.means, oct(Path('empty').stat().st_mode)[-3:], os.environ['TMPDIR'])"
    done = child(code, tmp_path, "anyhow", before=before)
    assert done.stdout.split(maxsplit=3) == ["False", "('environment',)", "500", f"{tmp_path / 'empty'}\n"], done.stderr


def test_a_folder_that_is_not_empty_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "left").write_text("x")
    done = child("", tmp_path)
    assert "StoreError: empty: has to stay empty" in done.stderr
