"""Reading and taking a list into use; every way in which a delivery can be damaged."""

from collections.abc import Callable
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from compliance.choices import VersionStatus
from compliance.errors import ListRefused
from compliance.list_formats import LISTS
from compliance.lists import ofac_remarks
from compliance.models.screening import ListedEntity, ListedFact, ListedName, ListVersion, ScreeningRun
from compliance.operations.lists import load_list
from compliance.tests.conftest import FILES, SAMPLE, sample, without
from flowlet.audit.models import AuditRecord

Files = dict[str, bytes]
END = b"\r\n\x1a"


def parse(files: Files) -> str:
    """Return the refusal of these files."""
    with pytest.raises(ListRefused) as refused:
        LISTS.get("ofac-sdn").parse(files)
    return "\n".join(refused.value.reasons)


def edit(file: str, change: Callable[[bytes], bytes]) -> Files:
    files = sample()
    return {**files, file: change(files[file])}


def lines_of(file: str) -> list[bytes]:
    return sample()[file].removesuffix(END).split(b"\r\n")


def joined(lines: list[bytes]) -> bytes:
    return b"\r\n".join(lines) + END


def test_the_sample_is_read_whole() -> None:
    parsed = LISTS.get("ofac-sdn").parse(sample())

    kinds = {entity.kind for entity in parsed.entities}
    person = next(entity for entity in parsed.entities if entity.uid == "32391")
    assert len(parsed.entities) == 209
    assert kinds == {"PERSON", "COMPANY", "VESSEL", "AIRCRAFT"}
    assert person.name == "Ousmane Illiassou DJIBO"
    assert {name.text for name in person.names if name.kind == "WEAK"} >= {
        "Petit CHAPORI",
        "Djibbo ILLIASSOU",
    }
    assert {(fact.kind, fact.country) for fact in person.facts} >= {("NATIONALITY", "NE"), ("ADDRESS", "ML")}


@pytest.mark.parametrize(
    ("text", "earliest", "latest", "circa"),
    [
        ("DOB 10 Dec 1948", "1948-12-10", "1948-12-10", False),
        ("DOB 1946", "1946-01-01", "1946-12-31", False),
        ("alt. DOB Sep 1938", "1938-09-01", "1938-09-30", False),
        ("DOB circa 1951", "1951-01-01", "1951-12-31", True),
        ("DOB 1951 to 1953", "1951-01-01", "1953-12-31", False),
        ("DOB 01 Jan 1961 to 31 Dec 1962", "1961-01-01", "1962-12-31", False),
        ("DOB circa 1979-1982", "1979-01-01", "1982-12-31", True),
    ],
)
def test_every_way_of_writing_a_birth_date_becomes_a_range(
    text: str,
    earliest: str,
    latest: str,
    circa: bool,  # noqa: FBT001 - a column of the table above
) -> None:
    fact = ofac_remarks.read(text + ".", is_cut=False).facts[0]

    assert (str(fact.date_from), str(fact.date_to), fact.is_circa) == (earliest, latest, circa)


@pytest.mark.parametrize(
    "text", ["31 Feb 1960", "unknown", "1953 to 1951", "00 Jan 1950", "12 Foo 1950", "0000"]
)
def test_an_impossible_birth_date_is_kept_as_text_and_not_compared(text: str) -> None:
    fact = ofac_remarks.read(f"DOB {text}.", is_cut=False).facts[0]

    assert (fact.kind, fact.text, fact.date_from) == ("BIRTH_DATE", text, None)


def test_weak_names_keep_their_apostrophes_and_unknown_remarks_are_kept() -> None:
    found = ofac_remarks.read(
        "For more see; a.k.a. ''ABD-AL-'IZ'; Passport A123 (Iran) expires 2010.", is_cut=False
    )

    assert found.names == ["'ABD-AL-'IZ"]
    assert [(fact.kind, fact.country) for fact in found.facts] == [("OTHER", ""), ("DOCUMENT", "IR")]


def test_the_last_piece_of_cut_remarks_is_dropped() -> None:
    found = ofac_remarks.read("DOB 1946; Digital Currency Address - XBT 1Q2w", is_cut=True)

    assert [fact.kind for fact in found.facts] == ["BIRTH_DATE"]


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("share", [0.0001, 0.1, 0.5, 0.9, 0.999])
def test_a_file_cut_anywhere_is_refused(file: str, share: float) -> None:
    refusal = parse(edit(file, lambda content: content[: int(len(content) * share)]))

    assert refusal.startswith(f"{file}.csv line ")


@pytest.mark.parametrize("cut", range(1, 30))
def test_a_file_that_lost_its_latest_bytes_is_refused(cut: int) -> None:
    refusal = parse(edit("alt", lambda content: content[:-cut]))

    assert "alt.csv line 2" in refusal
    assert "end marker" in refusal


def test_a_file_cut_in_the_middle_of_a_line_but_closed_again_is_refused() -> None:
    refusal = parse(edit("sdn", lambda content: content[: len(content) // 2] + END))

    assert "sdn.csv line " in refusal


def test_a_file_cut_between_lines_but_closed_again_lacks_entities() -> None:
    half = lines_of("sdn")[:100]

    refusal = parse({**sample(), "sdn": joined(half)})

    assert "which is not in sdn.csv" in refusal


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "line 1: the file is empty"),
        (b"\x1a", "line 1: the file is empty"),
        (b"\r\n\r\n\x1a", "line 1: the file is empty"),
        (b"<html>blocked</html>" + END, "line 1: 1 columns, expected 12"),
        (b"PK\x03\x04\x00\x00junk" + END, "control character"),
        (b"\xff\xfe\x81\x8d" + END, "neither UTF-8 nor Windows-1252"),
        (b'1,"unclosed,-0- ' + END, "line 1"),
        (b'1,"a"x,-0- ' + END, "line 1"),
        (b"9" * 30_000 + END, "30,000 characters"),
        (b'1,"' + b"x" * 200_000 + b'"' + END, "200,004 characters"),
        (b'1,"two\r\nlines","individual"' + b",-0- " * 9 + END, "runs over 2 lines"),
        (b'0,"A","individual"' + b",-0- " * 9 + END, "is no entity number"),
        (b'1,"A","robot"' + b",-0- " * 9 + END, "is no kind of entity"),
        (b'1,-0- ,"individual"' + b",-0- " * 9 + END, "name is missing"),
    ],
)
def test_a_file_of_another_shape_is_refused_with_its_line(content: bytes, words: str) -> None:
    refusal = parse({**sample(), "sdn": content})

    assert refusal.startswith("sdn.csv line ")
    assert words in refusal


def test_files_given_in_the_wrong_order_are_refused() -> None:
    files = sample()

    assert "columns, expected 12" in parse({"sdn": files["alt"], "alt": files["sdn"], "add": files["add"]})


@pytest.mark.parametrize("file", FILES)
def test_a_number_that_appears_twice_is_refused_with_its_line(file: str) -> None:
    lines = lines_of(file)

    refusal = parse({**sample(), file: joined([*lines, lines[3]])})

    assert f"{file}.csv line {len(lines) + 1}: " in refusal
    assert "appears twice" in refusal


def test_a_file_with_another_number_of_columns_far_down_is_refused_at_that_line() -> None:
    lines = lines_of("add")
    lines[120] += b",-0- "

    assert "add.csv line 121: 7 columns, expected 6" in parse({**sample(), "add": joined(lines)})


def test_a_plainly_wrong_file_stops_after_twenty_faults() -> None:
    lines = [line.replace(b'"aka"', b'"???"') for line in lines_of("alt")]

    assert len(parse({**sample(), "alt": joined(lines)}).splitlines()) == 20


def test_windows_text_is_read_and_recorded() -> None:
    parsed = LISTS.get("ofac-sdn").parse(
        edit("sdn", lambda content: content.replace(b"WISSER", b"W\xdcSSER"))
    )

    assert parsed.encoding == "cp1252"
    assert any("WÜSSER" in entity.name for entity in parsed.entities)


def test_a_loaded_list_is_live_with_its_counts(live_list: ListVersion) -> None:
    assert live_list.status == VersionStatus.LIVE
    assert live_list.counts["entities"] == ListedEntity.objects.filter(is_live=True).count() == 209
    assert live_list.counts["names"] == ListedName.objects.count()
    assert ListedFact.objects.filter(kind="BIRTH_DATE", date_from__isnull=False).exists()
    assert AuditRecord.objects.filter(action="list.load", object_id=live_list.public_id).exists()


def test_the_same_files_again_change_nothing(live_list: ListVersion, now: datetime) -> None:
    again, fresh = load_list(code="ofac-sdn", files=sample(), now=now)

    assert (again, fresh) == (live_list, False)
    assert ListVersion.objects.count() == 1


@pytest.mark.parametrize("damage", ["cut", "empty", "half"])
def test_a_refused_list_is_recorded_and_the_live_one_stays(
    live_list: ListVersion, now: datetime, damage: str
) -> None:
    content = sample()["sdn"]
    damaged = {
        "cut": content[:-400],
        "empty": b"",
        "half": joined(lines_of("sdn")[:104]),
    }[damage]
    files = {**sample(), "sdn": damaged}
    if damage == "half":
        gone = [line.split(b",")[0].decode() for line in lines_of("sdn")[104:]]
        files = without(sample(), *gone)

    with pytest.raises(ListRefused):
        load_list(code="ofac-sdn", files=files, now=now)

    refused = ListVersion.objects.get(status=VersionStatus.REFUSED)
    live_list.refresh_from_db()
    assert refused.refusals
    assert live_list.status == VersionStatus.LIVE
    assert ListedEntity.objects.filter(is_live=True).count() == ListedEntity.objects.count() == 209
    assert AuditRecord.objects.filter(action="list.load", outcome="REFUSED").count() == 1


def test_an_unusual_size_is_taken_with_a_reason(live_list: ListVersion, now: datetime) -> None:
    gone = [line.split(b",")[0].decode() for line in lines_of("sdn")[104:]]

    version, fresh = load_list(
        code="ofac-sdn", files=without(sample(), *gone), now=now, accept_size="A program ended"
    )

    live_list.refresh_from_db()
    assert fresh
    assert version.size_override == "A program ended"
    assert version.changes == {"added": 0, "changed": 0, "removed": 105}
    assert live_list.status == VersionStatus.RETIRED


def test_only_what_changed_is_written_anew(live_list: ListVersion, now: datetime) -> None:
    files = edit("sdn", lambda content: content.replace(b"DJIBO, Ousmane", b"DJIBBO, Ousmane"))

    version, _ = load_list(code="ofac-sdn", files=without(files, "7150"), now=now + timedelta(days=1))

    assert version.changes == {"added": 0, "changed": 1, "removed": 1}
    assert ListedEntity.objects.count() == 210
    assert ListedEntity.objects.get(uid="32391", is_live=True).from_version == version
    assert ListedEntity.objects.get(uid="7150").to_version == version


def test_a_load_that_is_cut_off_leaves_nothing_behind(live_list: ListVersion, now: datetime) -> None:
    def power_cut(step: str, _done: int, _total: int) -> None:
        if step == "Writing":
            raise KeyboardInterrupt

    files = edit("sdn", lambda content: content.replace(b"DJIBO, Ousmane", b"DJIBBO, Ousmane"))
    with pytest.raises(KeyboardInterrupt):
        load_list(code="ofac-sdn", files=files, now=now, progress=power_cut)

    live_list.refresh_from_db()
    assert live_list.status == VersionStatus.LIVE
    assert ListedEntity.objects.count() == 209


def test_the_database_refuses_a_second_live_version(live_list: ListVersion, now: datetime) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        ListVersion.objects.create(
            source=live_list.source, sha256="1" * 64, loaded_by="x", staged_at=now, live_at=now, status="LIVE"
        )


def test_the_database_refuses_one_entity_twice_in_the_live_list(live_list: ListVersion) -> None:
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO compliance_listedentity (source_id, uid, kind, name, programs, remarks, is_cut, fingerprint,"
            " from_version_id, is_live) SELECT source_id, uid, kind, name, programs, remarks, is_cut, fingerprint,"
            " from_version_id, true FROM compliance_listedentity LIMIT 1"
        )


def run_command(folder: Path, *more: str) -> str:
    out = StringIO()
    options = [part for name in FILES for part in (f"--{name}", str(folder / f"{name}.csv"))]
    call_command("load_watchlist", "ofac-sdn", *options, *more, stdout=out)
    return out.getvalue()


def test_the_command_loads_says_what_changed_and_says_when_nothing_did(db: None) -> None:
    first, second = run_command(SAMPLE), run_command(SAMPLE)

    assert "209 entities" in first
    assert "Writing: 209 of 209" in first
    assert "nothing changed" in second
    assert ScreeningRun.objects.get().status == "COMPLETE"


def test_the_command_refuses_with_file_and_line_and_an_error_code(db: None, tmp_path: Path) -> None:
    for name, content in edit("add", lambda content: content[:-1]).items():
        (tmp_path / f"{name}.csv").write_bytes(content)

    with pytest.raises(
        CommandError, match=r"the list in use stays:\n  add\.csv line 254: the end marker"
    ) as refused:
        run_command(tmp_path)

    assert refused.value.returncode == 1
    assert ListVersion.objects.get().status == VersionStatus.REFUSED


def test_the_command_needs_every_file(db: None, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="--add is missing"):
        call_command(
            "load_watchlist", "ofac-sdn", "--sdn", str(SAMPLE / "sdn.csv"), "--alt", str(SAMPLE / "alt.csv")
        )
    with pytest.raises(CommandError, match="No such file"):
        run_command(tmp_path)
