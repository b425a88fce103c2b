"""Refreshing prices over real connections: a server that speaks as AWS does, and its faults."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from simulations.aws.prices import Change, RefreshFailed, api, bulk, main, refresh
from simulations.pricing import PriceList, write_offer

SKUS = tuple(PriceList.load().skus.values())
SERVICES = ["AWSLambda", "AWSQueueService"]


class Server(ThreadingHTTPServer):
    """Price files under AWS's paths, and GetProducts; `fault` says what goes wrong."""

    fault = ""
    asked = 0
    request_price = "0.0000002"

    def offer(self, service: str, region: str) -> dict[str, Any]:
        found = json.loads(json.dumps(write_offer(SKUS, service, region)))
        for code, product in found["products"].items():
            if product["attributes"]["usagetype"] == "Request":
                (term,) = found["terms"]["OnDemand"][code].values()
                (price,) = term["priceDimensions"].values()
                price["pricePerUnit"]["USD"] = self.request_price
        return found  # type: ignore[no-any-return]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, format: str, *values: object) -> None:
        """Keep the test's output clean."""

    def do_GET(self) -> None:
        self.server.asked += 1
        service, _, region = self.path.strip("/").split("/")[:3]
        fault = self.server.fault
        if fault == "500" or (fault == "500 once" and self.server.asked == 1):
            return self.answer(b"busy", 503)
        if fault == "404":
            return self.answer(b"no such file", 404)
        if fault == "other region":
            region = "ap-south-1"
        body = json.dumps(self.server.offer(service, region)).encode()
        if fault == "second truncated" and service == SERVICES[1]:
            body = body[:1000]
        if fault == "cut":
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[:500])
            self.close_connection = True
            return None
        if fault == "slow":
            time.sleep(1.0)
        return self.answer(body)

    def do_POST(self) -> None:
        self.server.asked += 1
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert self.headers["X-Amz-Target"] == "AWSPriceListService.GetProducts"
        region = asked["Filters"][0]["Value"]
        whole = self.server.offer(asked["ServiceCode"], region)
        entries = [
            json.dumps({"product": product, "publicationDate": whole["publicationDate"],
                        "terms": {"OnDemand": whole["terms"]["OnDemand"][code]}})
            for code, product in whole["products"].items()
        ]  # fmt: skip
        begin = int(asked.get("NextToken", 0))
        page: dict[str, Any] = {"FormatVersion": "aws_v1", "PriceList": entries[begin : begin + 5]}
        if begin + 5 < len(entries):
            page["NextToken"] = str(begin + 5 if self.server.fault != "loop" else 5)
        if self.server.fault == "500":
            return self.answer(b'{"__type":"InternalErrorException"}', 500)
        return self.answer(json.dumps(page).encode())

    def answer(self, body: bytes, status: int = 200) -> None:
        with suppress(BrokenPipeError, ConnectionResetError):  # the caller did not wait
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=made.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()


def fetch_from(server: Server, **more: Any) -> Any:
    return bulk(f"http://127.0.0.1:{server.server_port}", **({"pause_s": 0.01} | more))


def pricing_client(server: Server, **more: Any) -> Any:
    boto3, botocore = pytest.importorskip("boto3"), pytest.importorskip("botocore.config")
    config = botocore.Config(retries={"total_max_attempts": 2}, read_timeout=2, **more)
    return boto3.client(
        "pricing", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x",
        endpoint_url=f"http://127.0.0.1:{server.server_port}", config=config,
    )  # fmt: skip


def kept(folder: Path) -> dict[str, bytes]:
    return {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


def test_prices_are_fetched_checked_and_put_in_place(server: Server, tmp_path: Path) -> None:
    server.request_price = "0.0000003"
    changes = refresh(services=SERVICES, folder=tmp_path, fetch=fetch_from(server))
    assert changes == [Change("AWSLambda", "Request", ("0.0000002",), ("0.0000003",))]
    assert str(changes[0]) == "changed  AWSLambda Request: 0.0000002 -> 0.0000003"
    prices = PriceList.load(folder=tmp_path)
    assert prices.bill({"Request": 1_000_000, "Requests-FIFO-RBP": 2_000_000}).total_usd == Decimal(
        "1.3"
    )
    # The same again: nothing differs; another service alone leaves these as they are.
    assert refresh(services=SERVICES, folder=tmp_path, fetch=fetch_from(server)) == []
    refresh(services=["AmazonStates"], folder=tmp_path, fetch=fetch_from(server))
    assert sorted(kept(tmp_path)) == [
        f"us-east-1/{s}.json" for s in ("AWSLambda", "AWSQueueService", "AmazonStates")
    ]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("500", "2 tries failed.*503"),
        ("404", "HTTP 404"),
        ("other region", "region 'ap-south-1', not of us-east-1"),
        ("second truncated", "AWSQueueService: no complete JSON"),
        ("cut", "2 tries failed.*IncompleteRead"),
        ("slow", "2 tries failed.*timed out"),
    ],
)
def test_whatever_fails_the_old_prices_stay(
    server: Server, tmp_path: Path, fault: str, words: str
) -> None:
    refresh(services=SERVICES, folder=tmp_path, fetch=fetch_from(server))
    before = kept(tmp_path)
    server.fault, server.request_price = fault, "0.0000004"
    with pytest.raises(RefreshFailed, match=words):
        refresh(
            services=SERVICES, folder=tmp_path, fetch=fetch_from(server, timeout_s=0.3, attempts=2)
        )
    assert kept(tmp_path) == before


def test_a_passing_fault_is_tried_again(server: Server, tmp_path: Path) -> None:
    server.fault = "500 once"
    assert refresh(services=SERVICES, folder=tmp_path, fetch=fetch_from(server)) == []
    assert server.asked == 3


def test_a_price_that_jumps_is_taken_only_when_told(server: Server, tmp_path: Path) -> None:
    for wrong in ("0.2", "0"):
        server.request_price = wrong
        with pytest.raises(RefreshFailed, match="more than 10 times"):
            refresh(services=SERVICES, folder=tmp_path, fetch=fetch_from(server))
        assert kept(tmp_path) == {}
    refresh(services=SERVICES, folder=tmp_path, fetch=fetch_from(server), accept_jumps=True)
    assert PriceList.load(folder=tmp_path).bill({"Request": 5}).total_usd == 0


def test_a_disk_that_fails_leaves_the_old_prices(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refresh(services=SERVICES, folder=tmp_path, fetch=fetch_from(server))
    before, replace = kept(tmp_path), __import__("os").replace

    def failing(source: Path, target: Path) -> None:
        if not str(source).endswith("-old") and target == tmp_path / "us-east-1":
            raise OSError("disk full")
        replace(source, target)

    monkeypatch.setattr("simulations.aws.prices.os.replace", failing)
    server.request_price = "0.0000003"
    with pytest.raises(RefreshFailed, match="disk full"):
        refresh(services=SERVICES, folder=tmp_path, fetch=fetch_from(server))
    assert kept(tmp_path) == before


def test_get_products_through_boto3_gives_the_same_files(server: Server, tmp_path: Path) -> None:
    by_file, by_api = tmp_path / "bulk", tmp_path / "api"
    refresh(services=SERVICES, folder=by_file, fetch=fetch_from(server))
    refresh(services=SERVICES, folder=by_api, fetch=api(pricing_client(server)))
    assert kept(by_file) == kept(by_api)
    assert server.asked > 4  # pages of five
    before = kept(by_api)
    for fault, words in (("loop", "repeats a page"), ("500", "GetProducts of AWSLambda")):
        server.fault = fault
        with pytest.raises(RefreshFailed, match=words):
            refresh(services=SERVICES, folder=by_api, fetch=api(pricing_client(server)))
    assert kept(by_api) == before


def test_the_command_says_what_changed(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"http://127.0.0.1:{server.server_port}"
    assert main(["--url", url, "--folder", str(tmp_path), *SERVICES]) == 0
    assert "prices: 0 differences" in capsys.readouterr().out
    server.fault = "other region"
    assert main(["--url", url, "--folder", str(tmp_path), *SERVICES]) == 1
    assert "nothing was changed" in capsys.readouterr().err
    assert main(["--url", "file:///etc", "--folder", str(tmp_path), *SERVICES]) == 1
