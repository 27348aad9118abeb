"""Files that a bank's connection drops into a folder: each is taken once, or refused with the reason beside it."""

import os
from pathlib import Path

import pytest
from django.conf import LazySettings

from flowlet.core.clock import now
from ledger.choices_bank import BankFileState
from ledger.models.reconciliation import BankFile, BankLine
from ledger.reconciliation.write import camt053
from ledger.tasks_bank import accept_bank_files
from ledger.tests.banking import house_bank, line, statement

pytestmark = pytest.mark.django_db


def drop(folder: Path, name: str, data: bytes, *, age_s: float = 60) -> Path:
    path = folder / name
    path.write_bytes(data)
    at = now().timestamp() - age_s
    os.utime(path, (at, at))
    return path


def test_a_dropped_file_is_taken_once_and_what_cannot_be_is_refused_with_its_reason(
    tmp_path: Path, settings: LazySettings
) -> None:
    settings.FLOWLET_BANK_INBOX = str(tmp_path)
    house_bank()
    told = camt053([statement(line(700), line(-200, 2))])
    drop(tmp_path, "monday.xml", told)
    drop(tmp_path, "monday-again.xml", told + b"\n")
    drop(tmp_path, "same.xml", told)
    drop(tmp_path, "empty.xml", b" ")
    drop(tmp_path, "tuesday.xml.part", told)
    drop(tmp_path, "writing.xml", told, age_s=2)
    (tmp_path / "link.xml").symlink_to(tmp_path / "monday.xml")

    looked_at = [accept_bank_files() for _ in range(2)]

    assert looked_at == [2, 0]
    assert sorted(path.name for path in (tmp_path / "taken").iterdir()) == ["monday-again.xml", "monday.xml"]
    assert sorted(path.name for path in (tmp_path / "refused").iterdir()) == [
        "empty.xml",
        "empty.xml.txt",
        "same.xml",
        "same.xml.txt",
    ]
    assert "monday.xml" in (tmp_path / "refused" / "same.xml.txt").read_text()
    left = {path.name for path in tmp_path.iterdir() if not path.is_dir()}
    assert left == {"tuesday.xml.part", "writing.xml", "link.xml"}
    # The same lines in other bytes are known by their keys: nothing is booked twice.
    assert BankLine.objects.count() == 2
    assert BankFile.objects.filter(state=BankFileState.ACCEPTED).count() == 1


def test_a_folder_that_is_not_there_stops_no_waiting_file(tmp_path: Path, settings: LazySettings) -> None:
    settings.FLOWLET_BANK_INBOX = str(tmp_path / "gone")

    assert accept_bank_files() == 0
