"""A small S3-compatible object store over HTTP that checks every signature by its own reading of the protocol."""

import hashlib
import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qsl, unquote, urlsplit

KEY_ID, SECRET, REGION = "tests-only", "tests-only-secret", "eu-central-1"
PAGE = 2


class ObjectServer(ThreadingHTTPServer):
    """Objects by path; `failing` makes it answer 503."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.objects: dict[str, bytes] = {}
        self.failing = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: ObjectServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def answer(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def taken_in(self) -> bytes | None:
        """The body, or None after a refusal."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.server.failing:
            self.answer(503, b"<Error><Code>SlowDown</Code></Error>")
            return None
        if not self.signed(body):
            self.answer(403, b"<Error><Code>SignatureDoesNotMatch</Code></Error>")
            return None
        return body

    def signed(self, body: bytes) -> bool:
        scheme, _, rest = self.headers.get("Authorization", "").partition(" ")
        parts = dict(part.strip().split("=", 1) for part in rest.split(","))
        key_id, day, region, service, end = parts["Credential"].split("/")
        target = urlsplit(self.path)
        names = parts["SignedHeaders"].split(";")
        digest = hashlib.sha256(body).hexdigest()
        lines = [self.command, target.path, "&".join(sorted(target.query.split("&"))) if target.query else ""]
        lines += [f"{name}:{(self.headers.get(name) or '').strip()}" for name in names]
        lines += ["", parts["SignedHeaders"], digest]
        request = hashlib.sha256("\n".join(lines).encode()).hexdigest()
        moment = self.headers.get("X-Amz-Date", "")
        text = f"AWS4-HMAC-SHA256\n{moment}\n{day}/{region}/{service}/{end}\n{request}"
        key = ("AWS4" + SECRET).encode()
        for part in (day, region, service, end):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        return (
            scheme == "AWS4-HMAC-SHA256"
            and {"host", "x-amz-content-sha256", "x-amz-date"} <= set(names)
            and (key_id, region, service, end) == (KEY_ID, REGION, "s3", "aws4_request")
            and self.headers.get("X-Amz-Content-Sha256") == digest
            and hmac.compare_digest(
                hmac.new(key, text.encode(), hashlib.sha256).hexdigest(), parts["Signature"]
            )
        )

    def do_PUT(self) -> None:
        body, name = self.taken_in(), unquote(self.path)
        if body is None:
            return
        if self.headers.get("If-None-Match") == "*" and name in self.server.objects:
            self.answer(412, b"<Error><Code>PreconditionFailed</Code></Error>")
            return
        self.server.objects[name] = body
        self.answer(200)

    def do_GET(self) -> None:
        if self.taken_in() is None:
            return
        target = urlsplit(self.path)
        if target.query:
            self.answer(200, self.listing(unquote(target.path), dict(parse_qsl(target.query))))
        elif unquote(target.path) in self.server.objects:
            self.answer(200, self.server.objects[unquote(target.path)])
        else:
            self.answer(404, b"<Error><Code>NoSuchKey</Code></Error>")

    def listing(self, bucket: str, query: dict[str, str]) -> bytes:
        keys = sorted(name.removeprefix(f"{bucket}/") for name in self.server.objects)
        keys = [
            key
            for key in keys
            if key.startswith(query["prefix"]) and key > query.get("continuation-token", "")
        ]
        shown = "".join(f"<Contents><Key>{key}</Key></Contents>" for key in keys[:PAGE])
        more = f"<NextContinuationToken>{keys[PAGE - 1]}</NextContinuationToken>" if len(keys) > PAGE else ""
        space = "http://s3.amazonaws.com/doc/2006-03-01/"
        return f'<ListBucketResult xmlns="{space}">{shown}{more}</ListBucketResult>'.encode()


@contextmanager
def object_server() -> Iterator[ObjectServer]:
    """Serve on a free port of the loopback address."""
    server = ObjectServer()
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
