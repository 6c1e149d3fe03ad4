"""What ends a command without being its own error: a disk that is not there any more is said as such, and is no bug."""

from __future__ import annotations

import errno
import sys

import pytest

import facedouble.cli.main  # noqa: F401  whose name the package gives to its function
from facedouble.errors import ExitCode

MAIN = sys.modules["facedouble.cli.main"]


@pytest.mark.parametrize(("error", "code", "said"), [
    (FileNotFoundError(errno.ENOENT, "gone", "/media/film"), ExitCode.STORE, "/media/film: No such file or directory"),
    (OSError(errno.EIO, "broken"), ExitCode.STORE, "a file: Input/output error"),
    (OSError(errno.ENOSPC, "full", "film"), ExitCode.STORE, "film: No space left on device"),
    (OSError(errno.EINVAL, "secret words"), ExitCode.BUG, "a bug (OSError at test_main.py:"),
    (ValueError("secret words"), ExitCode.BUG, "a bug (ValueError at test_main.py:"),
])
def test_a_disk_that_is_gone_is_no_bug(error: Exception, code: ExitCode, said: str, monkeypatch: pytest.MonkeyPatch,
                                       capsys: pytest.CaptureFixture[str]) -> None:
    def broken(**_: object) -> int:
        raise error

    monkeypatch.setattr(MAIN, "app", broken)
    monkeypatch.setattr(MAIN, "enter_all", lambda _: None)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    with pytest.raises(SystemExit) as ended:
        MAIN.main()
    told = capsys.readouterr().err.replace("\n", " ")
    assert ended.value.code == int(code) and said in told and "secret" not in told
