"""What is shown while the commands run: consoles and progress."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

OUT, ERR = Console(highlight=False, soft_wrap=True), Console(stderr=True, highlight=False, soft_wrap=True)


class Stop:
    """What Ctrl-C does: KeyboardInterrupt, and again at the next sign of progress, should a library have swallowed the first."""

    asked = False

    @classmethod
    def ask(cls, *_: object) -> None:
        """For `signal.signal`."""
        cls.asked = True
        raise KeyboardInterrupt

    @classmethod
    def here(cls) -> None:
        """Stop, if somebody asked for it."""
        if cls.asked:
            raise KeyboardInterrupt


class _Speed(TextColumn):
    """How many of what is counted pass in a second: frames, of sound its seconds, files."""

    def __init__(self) -> None:
        super().__init__("")

    def render(self, task: Any) -> Any:
        return f"{task.speed:.1f}/s" if task.speed else ""


class Bar:
    """A progress bar with speed and time left; one line per step."""

    def __init__(self) -> None:
        self.bar = Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Speed(),
                            TimeRemainingColumn(), console=ERR)
        self.tasks: dict[str, Any] = {}

    def __enter__(self) -> Bar:
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def __call__(self, step: str, done: int, total: int | None) -> None:
        Stop.here()
        if step not in self.tasks:
            self.tasks[step] = self.bar.add_task(step, total=total)
        self.bar.update(self.tasks[step], completed=done, total=total)


def size(number: int) -> str:
    """Bytes in words."""
    return f"{number / 1e6:.1f} MB" if number < 1e9 else f"{number / 1e9:.1f} GB"
