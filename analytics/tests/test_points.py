"""Points for InfluxDB: the real client against a small real server."""

import gzip
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from analytics.models import PendingPoint
from analytics.operations.points import send_points
from analytics.tests.factories import catch_up, pay
from wallets.tests.factories import NOW, make_customer, make_wallet

pytestmark = pytest.mark.django_db


class Influx:
    """Keeps the lines it was sent; says what it was told to say."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.zipped: list[bool] = []
        self.bad = "\0"
        self.status, self.retry_after = 204, ""


@pytest.fixture
def influx(settings) -> Iterator[Influx]:
    known = Influx()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            known.zipped.append(self.headers.get("Content-Encoding") == "gzip")
            lines = gzip.decompress(body).decode().splitlines()
            status = known.status
            if status == 204 and any(known.bad in line for line in lines):
                status = 400
            if status == 204:
                assert self.path.startswith("/api/v2/write?")
                known.lines += lines
            self.send_response(status)
            if known.retry_after and status != 204:
                self.send_header("Retry-After", known.retry_after)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    settings.INFLUXDB_URL = f"http://127.0.0.1:{server.server_port}"
    settings.INFLUXDB_TOKEN, settings.INFLUXDB_ORG = "token", "flowlet"
    yield known
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def wallets(partner):
    return make_wallet(make_customer(partner, "Anna Berg"), balance=9_000), make_wallet(
        make_customer(partner)
    )


def test_without_an_address_nothing_is_kept(wallets, settings):
    pay(*wallets, 100)
    catch_up()

    assert not PendingPoint.objects.exists()
    assert send_points(now=NOW) == 0


def test_points_are_sent_zipped_once_and_name_nobody(influx, wallets):
    payment = pay(*wallets, 100)
    catch_up()
    catch_up()

    sent = send_points(now=NOW)

    assert sent == len(influx.lines) == len(set(influx.lines)) == 3
    assert influx.zipped == [True]
    assert not PendingPoint.objects.exists()
    text = "\n".join(influx.lines)
    assert "amount_minor=100i" in text
    for secret in (payment.public_id, wallets[0].public_id, "Anna", wallets[0].customer.public_id):
        assert secret not in text


def test_a_refused_line_is_found_by_halving_and_parked(influx, wallets):
    for minor in (100, 200, 300, 400):
        pay(*wallets, minor)
    catch_up()
    count = PendingPoint.objects.count()
    influx.bad = "amount_minor=300i"

    sent = send_points(now=NOW)

    assert sent == len(influx.lines) == count - 1
    parked = PendingPoint.objects.get()
    assert (parked.parked, "amount_minor=300i" in parked.line) == (True, True)
    assert send_points(now=NOW) == 0


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_left_alone_as_long_as_it_says(status, influx, wallets):
    pay(*wallets, 100)
    catch_up()
    influx.status, influx.retry_after = status, "60"
    count = PendingPoint.objects.count()

    assert send_points(now=NOW) == 0
    influx.status = 204
    asked = len(influx.zipped)
    assert send_points(now=NOW + timedelta(seconds=59)) == 0
    assert len(influx.zipped) == asked
    assert send_points(now=NOW + timedelta(seconds=61)) == count == len(influx.lines)


def test_a_server_that_is_away_loses_nothing(influx, wallets, settings):
    pay(*wallets, 100)
    catch_up()
    address, settings.INFLUXDB_URL = settings.INFLUXDB_URL, "http://127.0.0.1:1"

    assert send_points(now=NOW) == 0
    settings.INFLUXDB_URL = address
    assert send_points(now=NOW + timedelta(seconds=31)) == len(influx.lines) == 3
