"""Uploaded files: what is taken, and what every bad one gets."""

import io
import struct
import zipfile
import zlib

import pypdf
import pytest
from PIL import Image
from pypdf.generic import ArrayObject, DictionaryObject, NameObject, TextStringObject
from reportlab.pdfgen.canvas import Canvas

from compliance.documents.content import SIZE_MAX, inspect
from compliance.documents.rendering import PAGE_SIDE_MAX, render, signed
from compliance.errors_kyc import DocumentRejected


def picture(kind="JPEG", size=(640, 400), mode="RGB", **more):
    body = io.BytesIO()
    Image.radial_gradient("L").resize(size).convert(mode).save(body, kind, **more)
    return body.getvalue()


def pdf(pages=1):
    body = io.BytesIO()
    canvas = Canvas(body)
    for number in range(pages):
        canvas.drawString(72, 720, f"Bill, page {number + 1}")
        canvas.showPage()
    canvas.save()
    return body.getvalue()


def changed_pdf(change):
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(pdf()))
    change(writer)
    body = io.BytesIO()
    writer.write(body)
    return body.getvalue()


def png_of(width, height):
    """A PNG whose header promises more than there is: a few bytes that want gigabytes."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0" * 100))
        + chunk(b"IEND", b"")
    )


def jpeg_of(width, height):
    """A JPEG whose frame header says another size."""
    data = bytearray(picture())
    place = data.find(b"\xff\xc0")
    data[place + 5 : place + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def zipped():
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr("run.sh", "echo")
    return body.getvalue()


def refusal(data):
    with pytest.raises(DocumentRejected) as fault:
        render(data, inspect(data))
    return fault.value.fields["reason_code"]


@pytest.mark.parametrize(
    ("data", "media_type", "size"),
    [
        (picture(), "image/jpeg", (640, 400)),
        (picture(progressive=True), "image/jpeg", (640, 400)),
        (picture("PNG"), "image/png", (640, 400)),
        (picture("PNG", mode="RGBA"), "image/png", (640, 400)),
        (picture("PNG", mode="P"), "image/png", (640, 400)),
        (picture("PNG", mode="LA"), "image/png", (640, 400)),
        (picture(size=(4000, 3000)), "image/jpeg", (PAGE_SIDE_MAX, 1200)),
    ],
)
def test_a_picture_is_known_by_its_content_and_encoded_anew(data, media_type, size):
    content = inspect(data)
    pages = render(data, content)

    assert content.media_type == media_type
    assert len(pages) == 1
    with Image.open(io.BytesIO(pages[0].jpeg)) as made:
        assert (made.format, made.mode, made.size) == ("JPEG", "RGB", size)


def test_what_stood_in_a_picture_beside_its_pixels_is_gone():
    exif = Image.Exif()
    exif[0x010E] = "<script>alert(1)</script>"
    data = picture(exif=exif, comment=b"secret words")

    page = render(data, inspect(data))[0]

    assert b"script" not in page.jpeg
    assert b"secret" not in page.jpeg


def test_a_picture_taken_sideways_is_shown_upright():
    exif = Image.Exif()
    exif[0x0112] = 6
    page = render(picture(exif=exif), inspect(picture(exif=exif)))[0]

    assert (page.width, page.height) == (400, 640)


def test_a_pdf_is_drawn_page_by_page():
    data = pdf(pages=3)

    pages = render(data, inspect(data))

    assert len(pages) == 3
    assert all(max(page.width, page.height) <= PAGE_SIDE_MAX for page in pages)


def test_small_changes_keep_the_difference_hash_near_and_others_do_not():
    original = Image.linear_gradient("L").resize((900, 600)).convert("RGB")
    original.paste((20, 20, 20), (100, 80, 420, 500))
    body, smaller, other = io.BytesIO(), io.BytesIO(), io.BytesIO()
    original.save(body, "JPEG")
    original.resize((500, 333)).save(smaller, "JPEG", quality=40)
    original.transpose(Image.Transpose.ROTATE_180).save(other, "JPEG")

    first, near, far = (
        render(one.getvalue(), inspect(one.getvalue()))[0].picture_hash for one in (body, smaller, other)
    )

    assert (first ^ near).bit_count() <= 6
    assert (first ^ far).bit_count() > 6
    assert -(1 << 63) <= signed(first) < 1 << 63


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "EMPTY"),
        (b"\0" * 5000, "EMPTY"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>", "WRONG_TYPE"),
        (b"<?xml version='1.0'?><svg/>", "WRONG_TYPE"),
        (b"GIF89a" + b"\1" * 100, "WRONG_TYPE"),
        (b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*", "WRONG_TYPE"),
        (zipped(), "WRONG_TYPE"),
        (picture("PNG") + zipped(), "TWO_FILES"),
        (picture() + zipped(), "TWO_FILES"),
        (pdf() + zipped(), "TWO_FILES"),
        (picture() + b"<html>", "TWO_FILES"),
        (picture("PNG") + b"tail", "TWO_FILES"),
        (pdf() + b"<script>", "TWO_FILES"),
        (b"MZ" + pdf(), "WRONG_TYPE"),
        (png_of(30_000, 30_000), "TOO_MANY_PIXELS"),
        (png_of(5_001, 5_000), "TOO_MANY_PIXELS"),
        (jpeg_of(30_000, 30_000), "TOO_MANY_PIXELS"),
        (png_of(100, 4_000), "TOO_SMALL"),
        (picture()[:2_000], "DAMAGED"),
        (picture("PNG")[:-20], "DAMAGED"),
        (pdf()[:400], "DAMAGED"),
        (png_of(600, 600), "DAMAGED"),
        (pdf(pages=21), "TOO_MANY_PAGES"),
        (picture() + b"\0" * (SIZE_MAX + 1), "TOO_LARGE"),
    ],
)
def test_each_bad_file_gets_one_plain_reason(data, code):
    assert refusal(data) == code


def test_padding_behind_a_picture_is_no_second_file():
    assert inspect(picture() + b"\0" * 16).media_type == "image/jpeg"


def test_a_wrong_checksum_in_a_png_is_damage():
    data = bytearray(picture("PNG"))
    data[40] ^= 1

    assert refusal(bytes(data)) == "DAMAGED"


def _script(writer):
    action = DictionaryObject(
        {NameObject("/S"): NameObject("/JavaScript"), NameObject("/JS"): TextStringObject("app.alert(1)")}
    )
    named = ArrayObject([TextStringObject("first"), writer._add_object(action)])
    tree = DictionaryObject({NameObject("/Names"): named})
    writer.root_object[NameObject("/Names")] = DictionaryObject({NameObject("/JavaScript"): tree})


def _hidden_open_action(writer):
    action = DictionaryObject(
        {NameObject("/S"): NameObject("/JavaScript"), NameObject("/JS"): TextStringObject("app.alert(1)")}
    )
    writer.root_object[NameObject("/OpenAction")] = writer._add_object(action)


def _launch(writer):
    action = DictionaryObject(
        {NameObject("/S"): NameObject("/Launch"), NameObject("/F"): TextStringObject("cmd.exe")}
    )
    writer.pages[0][NameObject("/AA")] = DictionaryObject({NameObject("/O"): writer._add_object(action)})


def _attachment(writer):
    writer.add_attachment("run.sh", b"echo")


@pytest.mark.parametrize("change", [_script, _hidden_open_action, _launch, _attachment])
def test_a_pdf_that_acts_or_carries_a_file_is_refused(change):
    assert refusal(changed_pdf(change)) == "ACTIVE_CONTENT"


def test_a_locked_pdf_is_refused():
    assert refusal(changed_pdf(lambda writer: writer.encrypt("secret", algorithm="RC4-128"))) == "LOCKED"


def test_a_pdf_of_many_objects_ends_at_its_bound():
    def nest(writer):
        parent = DictionaryObject()
        for number in range(21_000):
            parent[NameObject(f"/K{number}")] = DictionaryObject()
        writer.root_object[NameObject("/Junk")] = writer._add_object(parent)

    assert refusal(changed_pdf(nest)) == "TOO_COMPLEX"
