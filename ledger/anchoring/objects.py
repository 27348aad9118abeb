"""
Anchors in an S3-compatible object store, best with object lock on.

Three calls are all it takes, so that they are signed here (AWS Signature Version 4) instead of by an SDK of 14 MB.
Source: AWS, "Signature Version 4 signing process" and "Authenticating requests: using the Authorization header",
read 2026-11-24.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, urlsplit

import urllib3
from django.conf import settings
from lxml import etree

from flowlet.core.clock import now
from ledger.anchoring.stores import ANCHOR_STORES, AnchorStore, StoreFailed

_OK, _NO_SUCH, _TAKEN = 200, 404, 412
_TIMEOUT = urllib3.Timeout(connect=5, read=20)
_ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs requests to an object store."""

    key_id: str
    secret: str
    region: str

    def headers(
        self,
        method: str,
        url: str,
        *,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        body: bytes,
        at: datetime,
    ) -> dict[str, str]:
        """Return the headers to send: those given, and date, digest and signature. `at` is in UTC."""
        parts, day = urlsplit(url), f"{at:%Y%m%d}"
        digest = hashlib.sha256(body).hexdigest()
        signed = {name.lower(): value.strip() for name, value in headers.items()}
        signed |= {"host": parts.netloc, "x-amz-content-sha256": digest, "x-amz-date": f"{at:%Y%m%dT%H%M%SZ}"}
        names = ";".join(sorted(signed))
        request = "\n".join(
            [
                method,
                parts.path or "/",
                query_text(query),
                *(f"{name}:{signed[name]}" for name in sorted(signed)),
                "",
                names,
                digest,
            ]
        )
        scope = f"{day}/{self.region}/s3/aws4_request"
        to_sign = "\n".join(
            [_ALGORITHM, signed["x-amz-date"], scope, hashlib.sha256(request.encode()).hexdigest()]
        )
        key = f"AWS4{self.secret}".encode()
        for part in (day, self.region, "s3", "aws4_request"):
            key = hmac.digest(key, part.encode(), hashlib.sha256)
        signature = hmac.digest(key, to_sign.encode(), hashlib.sha256).hex()
        line = f"{_ALGORITHM} Credential={self.key_id}/{scope},SignedHeaders={names},Signature={signature}"
        return {**signed, "authorization": line}


def query_text(query: Mapping[str, str]) -> str:
    """Return the query as it is sent and signed: sorted, percent-encoded."""
    return "&".join(
        f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in sorted(query.items())
    )


class ObjectStore:
    """Objects below `url`, which is `https://host/bucket` or `https://host/bucket/prefix`."""

    def __init__(self, url: str, signer: Signer) -> None:
        parts = urlsplit(url.rstrip("/"))
        bucket, _, prefix = parts.path.lstrip("/").partition("/")
        self.bucket_url = f"{parts.scheme}://{parts.netloc}/{quote(bucket)}"
        self.prefix = f"{prefix}/" if prefix else ""
        self.signer = signer
        self.pool = urllib3.PoolManager(
            timeout=_TIMEOUT, retries=urllib3.Retry(2, redirect=0, raise_on_status=False)
        )

    def write(self, name: str, content: bytes) -> None:
        """Keep an object unless there is one, as `AnchorStore` says."""
        # Asked for by the store itself, so that two writers cannot both be first.
        status, body = self._call("PUT", name, body=content, headers={"if-none-match": "*"})
        if status == _TAKEN:
            if self.read(name) != content:
                raise StoreFailed(f"the object {name} is there already and says something else")
        elif status != _OK:
            raise _refused(status, body)

    def names(self) -> list[str]:
        """Return the names of all objects below the prefix, as `AnchorStore` says."""
        found: list[str] = []
        query = {"list-type": "2", "prefix": f"{self.prefix}anchor-"}
        while True:
            status, body = self._call("GET", "", query=query)
            if status != _OK:
                raise _refused(status, body)
            page = etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True))
            found += [
                str(key).removeprefix(self.prefix) for key in page.xpath("//*[local-name()='Key']/text()")
            ]
            token = page.xpath("string(//*[local-name()='NextContinuationToken'])")
            if not token:
                return sorted(found)
            query["continuation-token"] = str(token)

    def read(self, name: str) -> bytes:
        """Return one object, as `AnchorStore` says."""
        status, body = self._call("GET", name)
        if status == _NO_SUCH:
            raise StoreFailed(f"there is no object {name}")
        if status != _OK:
            raise _refused(status, body)
        return body

    def _call(
        self,
        method: str,
        name: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> tuple[int, bytes]:
        path = f"/{quote(self.prefix + name)}" if name else ""
        url = self.bucket_url + path
        signed = self.signer.headers(
            method, url, query=query or {}, headers=headers or {}, body=body, at=now()
        )
        try:
            answer = self.pool.request(
                method, f"{url}?{query_text(query)}" if query else url, body=body or None, headers=signed
            )
        except urllib3.exceptions.HTTPError as error:
            raise StoreFailed(f"the object store does not answer: {type(error).__name__}") from error
        return answer.status, answer.data


def _refused(status: int, body: bytes) -> StoreFailed:
    code = body.partition(b"<Code>")[2].partition(b"</Code>")[0][:60].decode("ascii", "replace")
    return StoreFailed(f"the object store answered {status} {code}".rstrip())


@ANCHOR_STORES.register("objects")
def make() -> AnchorStore | None:
    """Return the object store of the settings, or None where there is none."""
    given = settings.ANCHOR_OBJECTS
    if not given["url"]:
        return None
    return ObjectStore(given["url"], Signer(given["key_id"], given["secret"], given["region"]))
