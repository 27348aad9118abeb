"""Anchors: signed with a key the database never sees, kept in a folder and in an object store over real HTTP."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ledger.anchoring.documents import load
from ledger.anchoring.objects import ObjectStore, Signer
from ledger.anchoring.stores import StoreFailed
from ledger.models.seals import AnchorCopy
from ledger.operations.anchoring import anchor, write_copies
from ledger.operations.checking import prove
from ledger.operations.sealing import seal
from ledger.tests.factories import NOW, fund, wallet_account
from ledger.tests.objects import KEY_ID, REGION, SECRET, ObjectServer, object_server

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def folder(tmp_path: Path, settings) -> Path:
    settings.FLOWLET_ANCHOR_DIR = str(tmp_path / "anchors")
    return tmp_path / "anchors"


@pytest.fixture
def objects(settings) -> Iterator[ObjectServer]:
    with object_server() as server:
        settings.ANCHOR_OBJECTS = {
            "url": f"{server.url}/evidence/house 1",
            "region": REGION,
            "key_id": KEY_ID,
            "secret": SECRET,
        }
        yield server


@pytest.mark.django_db
def test_an_anchor_is_written_to_every_place_and_read_back(folder: Path, objects: ObjectServer) -> None:
    assert anchor(now=NOW) is None
    for hour in range(3):
        fund(wallet_account(), 5 + hour)
        made = anchor(now=NOW + timedelta(hours=hour))
    again = anchor(now=LATER + timedelta(days=1))

    assert made == again
    names = [f"anchor-{n:012d}.json" for n in (1, 2, 3)]
    assert sorted(path.name for path in folder.iterdir()) == names
    assert sorted(objects.objects) == [f"/evidence/house 1/{name}" for name in names]
    content = (folder / names[2]).read_bytes()
    assert content == objects.objects[f"/evidence/house 1/{names[2]}"]
    assert load(content).hash == bytes(made.hash)
    assert AnchorCopy.objects.count() == 6
    report = prove(now=NOW)
    assert report.findings == []
    assert {a.check.name: a.rows for a in report.answers if a.check.name.startswith("anchors_")} == {
        "anchors_folder": 3,
        "anchors_objects": 3,
    }


@pytest.mark.django_db
def test_a_place_that_does_not_answer_gets_its_anchor_later(folder: Path, objects: ObjectServer) -> None:
    objects.failing = True
    fund(wallet_account(), 5)
    made = anchor(now=NOW)

    assert made is not None
    assert list(made.copies.values_list("store", flat=True)) == ["folder"]
    assert {(f.check, f.text) for f in prove(now=NOW).findings} == {
        ("anchors_objects", "the object store answered 503 SlowDown")
    }
    assert write_copies(now=NOW) == ["objects: the object store answered 503 SlowDown"]
    objects.failing = False
    assert write_copies(now=LATER) == []

    assert len(objects.objects) == 1
    assert prove(now=NOW).findings == []


@pytest.mark.django_db
def test_a_forged_a_foreign_and_a_missing_file_are_found(folder: Path) -> None:
    fund(wallet_account(), 5)
    anchor(now=NOW)
    fund(wallet_account(), 6)
    anchor(now=LATER)
    first, second = sorted(folder.iterdir())
    fields = json.loads(first.read_text())

    first.chmod(0o644)
    first.write_text(json.dumps({**fields, "hash": "00" * 32}))
    second.unlink()
    (folder / "anchor-000000000009.json").write_text("{}")

    found = {(f.row.split()[0], f.field, f.text) for f in prove(now=NOW).findings}
    assert found == {
        (first.name, "signature", "its signature does not fit"),
        ("anchor-000000000009.json", "signature", "it does not read as an anchor"),
        (second.name, "name", "was written and is gone"),
    }


@pytest.mark.django_db
def test_what_is_kept_under_a_name_stays(folder: Path, objects: ObjectServer) -> None:
    fund(wallet_account(), 5)
    seal()
    name = "anchor-000000000001.json"
    folder.mkdir()
    (folder / name).write_text("mine")
    objects.objects[f"/evidence/house 1/{name}"] = b"mine"

    made = anchor(now=NOW)

    assert made is not None
    assert not made.copies.exists()
    assert (folder / name).read_text() == "mine"


def test_a_wrong_secret_is_refused_and_nobody_at_all_is_said(objects: ObjectServer) -> None:
    wrong = ObjectStore(f"{objects.url}/evidence", Signer(KEY_ID, "wrong", REGION))
    with pytest.raises(StoreFailed, match="403 SignatureDoesNotMatch"):
        wrong.write("anchor-1.json", b"{}")
    right = ObjectStore(f"{objects.url}/evidence", Signer(KEY_ID, SECRET, REGION))
    with pytest.raises(StoreFailed, match="there is no object"):
        right.read("anchor-1.json")

    nobody = ObjectStore("http://127.0.0.1:9/evidence", Signer(KEY_ID, SECRET, REGION))
    with pytest.raises(StoreFailed, match="does not answer"):
        nobody.names()


def test_the_signature_is_that_of_the_published_example() -> None:
    # Source: Amazon S3 API reference, "Authenticating requests: using the Authorization header", example PUT object.
    signer = Signer("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1")

    signed = signer.headers(
        "PUT",
        "https://examplebucket.s3.amazonaws.com/test%24file.text",
        query={},
        headers={"Date": "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY"},
        body=b"Welcome to Amazon S3.",
        at=datetime(2013, 5, 24, tzinfo=UTC),
    )

    wanted = "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
    assert signed["authorization"].endswith(f"Signature={wanted}")
