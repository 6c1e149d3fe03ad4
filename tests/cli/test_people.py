"""People on the command line: entered, asked, shown, and what each of them said; from the first record to nothing missing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from facedouble import disk
from facedouble.cli import inside
from facedouble.cli.main import app
from facedouble.doubles.file import read_double, write_double
from facedouble.doubles.mannequin import mannequin
from facedouble.errors import ConsentError, FacedoubleError, InputRefused, UsageError
from facedouble.pipeline.appearing import take_id
from facedouble.publish import write_new
from facedouble.store import people, personal, renders, volunteers
from facedouble.store.handing import environment, hand_on
from facedouble.store.project import Project
from facedouble.store.vault import Keys
from tests.store.cast import MAN, NOW, ROSE, SAM, a_render
from tests.store.make import a_project, keyring_of
from tests.store.test_consents import filled

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def ana(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A double whose consent is of V3."""
    path, made = tmp_path_factory.mktemp("ana") / "ana.fdouble", mannequin()
    write_double(replace(made, consent=replace(made.consent, who="V3")), path)
    return path


@pytest.fixture
def desk(tmp_path: Path, ana: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """An open project beside filled-in records and the file of a volunteer."""
    monkeypatch.chdir(tmp_path)
    project = a_project(tmp_path / "film")
    inside._OPEN[tmp_path / "film"] = inside.mounted(project)
    Path("consent.toml").write_text(filled(False))
    Path("volunteer.toml").write_text(filled(True))
    Path("proof.jpg").write_bytes(b"her name, written by hand")
    Path("ana.fdouble").write_bytes(ana.read_bytes())
    yield project
    inside._OPEN.clear()
    project.close()


def run(line: str, secret: str = "") -> int:
    """A command; `secret` is what the descriptor of --secret-fd holds, to which the line refers as FD."""
    out, into = os.pipe()
    try:
        os.write(into, secret.encode())
        os.close(into)
        words = [str(out) if word == "FD" else word for word in line.split()]
        return int(app(words, standalone_mode=False) or 0)
    finally:
        os.close(out)


def everybody() -> None:
    run("person add film witness --as rose --plan P1 --by lin")
    run("person add film shown --as sam --plan P2 --by lin")
    run("person add film passer-by --as man --plan P3 --by lin")
    run("volunteer add film --as v3 --by lin")
    run("volunteer add film --as v4 --voice --by lin")
    for who in ("rose", "sam"):
        secret = f'reach = "a friend"\nreal_name = "{who}!"'
        run(f"person consent film {who} --record consent.toml --by lin --secret-fd FD", secret)
    for who in ("v3", "v4"):
        run(f"volunteer consent film {who} --record volunteer.toml --by lin --secret-fd FD", 'reach = "by mail"')


def test_from_the_first_record_to_nothing_missing(desk: Project, capsys: pytest.CaptureFixture[str]) -> None:
    everybody()
    run("volunteer lend film v3 ana.fdouble --by lin")
    Path("take.wav").write_bytes(b"a take")
    run("volunteer lend film v4 take.wav --by lin")
    lent = people.get(desk.db, "v4")
    voice = str(desk.db.execute("SELECT file FROM lent WHERE person = ?", (lent.id,)).get)
    rose = replace(ROSE, double=read_double(Path("ana.fdouble")).id, voice="revoice", voice_double=voice)
    with desk.change("rendered", {}) as db:
        renders.record(db, a_render((rose,), (rose, SAM, MAN), ()), "lin", NOW)
    capsys.readouterr()
    assert run("approvals film") == 4
    shown = capsys.readouterr().out
    assert "7 things are missing" in shown and "passer-by" in shown and "nobody" in shown
    for who in ("rose", "v3", "v4"):
        run(f"approve film {who} --every-scene --how pack --by lin")
    assert run("approvals film --render r1") == 4
    run("unreachable film sam --scene 2 --by lin")
    run("approve film sam --scene 2 --how two-witnesses --present lin --present noor --by lin --secret-fd FD", 'note = "glad"')
    assert run("approvals film") == 0
    assert "nothing is missing" in capsys.readouterr().out
    run("object film rose --scene 1 --how in-person --by lin")
    assert run("approvals film") == 4 and "rose objects" in capsys.readouterr().out
    assert run("approvals film --for court") == 4
    run("person withdraw film P1 --by lin")
    said = capsys.readouterr().out
    assert "rose has withdrawn everything" in said and "is erased" in said
    assert not personal.has_key(desk.db, "rose", "biometrics")
    entries = [(e.event, dict(e.facts)) for e in desk.log.entries]
    assert ("withdrawn", {"person": "rose", "parts": []}) in entries
    assert not any(word in str(entries) for word in ("rose!", "a friend", "glad", "by mail"))


def test_a_volunteer_who_withdraws_one_of_two_keeps_the_other(desk: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """Also when the file could not go at first, and goes as the command is repeated."""
    everybody()
    film = Path("film").absolute()
    write_new(film / "ana.fdouble", Path("ana.fdouble").read_bytes())
    write_new(film / "takes" / "1.wav", b"a take")
    run("volunteer lend film v3 film/ana.fdouble --by lin")
    with desk.change("lent", {}) as db:
        volunteers.lend(db, "v3", "voice", take_id(film, film / "takes"), None, "lin", NOW)
    run("volunteer erase film v3 --biometrics --by lin")
    assert len(disk.found(film, "**/*")) == 2  # nobody has withdrawn anything
    with closing(Keys(film, desk.recipient, desk.keyring.identities).open()) as other:
        disk._MOUNTED[film.resolve()].close()  # type: ignore[attr-defined]
        other.hold()  # a render, say
        capsys.readouterr()
        run("volunteer withdraw film v3 --part face --by lin")
        said = " ".join(capsys.readouterr().out.split())
        assert "another facedouble" in said and "mend these, then repeat this command" in said
    run("volunteer withdraw film v3 --part face --by lin")
    assert [path.name for path in disk.found(film, "**/*")] == ["1.wav"]


def test_what_is_written_down_is_shown_again(desk: Project, capsys: pytest.CaptureFixture[str]) -> None:
    everybody()
    run("person contact film rose --not-reached --by lin --secret-fd FD", 'note = "phone off"')
    run("person contact film rose --moved --by lin --secret-fd FD", 'note = "well"\nreach = "her sister"')
    run("person name film rose P7 --by lin")
    run("person role film man witness --by lin")
    run("person unmask film rose --from 2099-01-01 --for film --signature proof.jpg --by lin")
    run("person mask film rose --by lin")
    capsys.readouterr()
    run("person list film")
    listed = capsys.readouterr().out
    assert "rose (P1, P7): witness; for film, stills;" in listed and "man (P3): witness; NO CONSENT YET" in listed
    run("person show film rose")
    shown = capsys.readouterr().out
    assert "explained in Chechen by lin: those who hunt you" in shown
    assert "masked again" in shown and "not reached" in shown and "her sister" not in shown
    run("person show film rose --secrets")
    assert "reach: her sister" in capsys.readouterr().out
    run("person erase film rose --record --by lin")
    assert personal.kept(desk.db, "sam", "reach") == b"a friend" and personal.kept(desk.db, "rose", "reach") is None
    run("volunteer show film v3")
    assert "double" in capsys.readouterr().out


def test_every_command_has_help_with_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    words = [*(f"person {c}" for c in ("add", "name", "role", "list", "show", "consent", "contact", "withdraw", "unmask", "mask",
                                       "erase")),
             *(f"volunteer {c}" for c in ("add", "consent", "lend", "contact", "withdraw", "show", "erase")),
             "approve", "object", "unreachable", "approvals", "override"]
    for command in words:
        assert run(f"{command} --help") == 0
        assert f"Example: facedouble {command} film" in " ".join(capsys.readouterr().out.split()), command


@pytest.mark.parametrize("group", ["person", "volunteer"])
def test_an_empty_record_is_printed(group: str, capsys: pytest.CaptureFixture[str]) -> None:
    run(f"{group} consent --template")
    shown = capsys.readouterr().out
    assert "recall_told = false" in shown and ("mistaken = false" in shown) is (group == "volunteer")


MISTAKES: list[tuple[str, str, type[FacedoubleError], str]] = [
    ("person add film double --by lin", "", UsageError, "volunteer add"),
    ("person add film witness --as Rose --by lin", "", UsageError, "pseudonym"),
    ("person consent film rose --by lin", "", UsageError, "--template"),
    ("person consent film rose --record none.toml --by lin", "", ConsentError, "cannot be read"),
    ("person consent film v3 --record volunteer.toml --by lin", "", UsageError, "volunteer consent"),
    ("volunteer consent film v3 --record consent.toml --by lin --secret-fd FD", "", ConsentError, "mistaken"),
    ("person consent film rose --record consent.toml --by lin --secret-fd FD", "phone = 1", UsageError, "not asked for"),
    ("person consent film rose --record consent.toml --by lin --secret-fd FD", "= 1", UsageError, "holds no TOML"),
    ("person consent film eva --record consent.toml --by lin --secret-fd FD", "", ConsentError, "reached safely"),
    ("person consent film rose --record consent.toml --proof none.jpg --by lin --secret-fd FD", "", InputRefused, "be read"),
    ("person unmask film rose --from 2099-01-01 --for film --by lin", "", ConsentError, "own act"),
    ("person unmask film rose --from 2020-01-01 --for film --signature proof.jpg --by lin", "", ConsentError, "is over"),
    ("person unmask film sam --from 2099-01-01 --for film --signature proof.jpg --by lin", "", ConsentError, "no witness"),
    ("person unmask film rose --from 2099-01-01 --for court --signature proof.jpg --by lin", "", ConsentError, "covers"),
    ("person erase film rose --by lin", "", UsageError, "--record"),
    ("person withdraw film rose --part hair --by lin", "", UsageError, "hair"),
    ("person withdraw film rose --part face,voice --by lin", "", UsageError, "own --part"),
    ("volunteer lend film v3 none.wav --by lin", "", UsageError, "no such file"),
    ("volunteer lend film rose ana.fdouble --by lin", "", ConsentError, "only a volunteer"),
    ("approve film rose --scene 1 --how in-person --by lin", "", UsageError, "no render yet"),
    ("approve film rose --how in-person --by lin", "", UsageError, "--every-scene"),
    ("approvals film", "", UsageError, "no render yet"),
    ("person show film nobody", "", UsageError, "nobody in this project"),
]


def test_mistakes_change_nothing(desk: Project) -> None:
    everybody()
    run("person add film witness --as eva --by lin")
    before = desk.log.head
    for line, secret, kind, word in MISTAKES:
        with pytest.raises(kind, match=word):
            run(line, secret)
        assert desk.log.head == before, line


def test_the_program_itself_takes_secrets_from_a_descriptor(tmp_path: Path) -> None:
    """As a process of its own, without a terminal; the key comes through a pipe."""
    a_project(tmp_path / "film").close()
    (tmp_path / "consent.toml").write_text(filled(False))
    key = keyring_of(tmp_path / "film")

    def program(*words: str, secret: str = "") -> subprocess.CompletedProcess[str]:
        pipe, (out, into) = hand_on(key), os.pipe()
        os.write(into, secret.encode())
        os.close(into)
        try:
            env = {**environment(pipe), "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
            line = [sys.executable, "-m", "facedouble", *(str(out) if w == "FD" else w for w in words)]
            return subprocess.run(line, cwd=tmp_path, env=env, pass_fds=(pipe, out), capture_output=True, text=True, timeout=60,
                                  start_new_session=True)
        finally:
            os.close(pipe)
            os.close(out)

    assert program("person", "add", "film", "witness", "--as", "rose", "--by", "lin").returncode == 0
    words = ("person", "consent", "film", "rose", "--record", "consent.toml", "--by", "lin")
    unasked = program(*words)
    assert unasked.returncode == 2 and "--secret-fd" in unasked.stderr
    done = program(*words, "--secret-fd", "FD", secret='reach = "a friend"\n')
    assert done.returncode == 0 and "rose: for film, stills" in done.stdout, done.stderr
    listed = program("person", "list", "film")
    assert "rose: witness; for film, stills" in listed.stdout and "a friend" not in listed.stdout + done.stdout
