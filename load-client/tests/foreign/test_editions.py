"""Calls a service that is described in an edition of protobuf. Its messages arrive as protobuf's own library encodes them."""

import sys
from concurrent import futures
from pathlib import Path

import grpc
import grpc_tools
import pytest
from grpc_reflection.v1alpha import reflection as server_reflection
from grpc_tools import protoc

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
messages, services = grpc.protos_and_services("edition.proto")

ORDER = ["--call", "edition.Shop/Order", "-n", "5", "-r", "500", "-c", "1"]
DATA = """{"name": "{{counter}}", "count": 0, "packed": [1, 300], "expanded": [2, 400],
    "item": {"name": "a", "inner": {"name": "b"}, "whole": {"name": "c"}}, "items": [{"name": "d"}, {}],
    "byName": {"k": {"name": "e"}}, "size": "SIZE_SMALL", "at": "2026-01-02T03:04:05Z", "that": "7", "must": 1,
    "color": "GREEN"}"""


class Shop(services.ShopServicer):
    """A running server that stores the requests that it receives."""

    def __init__(self):
        self.received = []
        self.server = grpc.server(futures.ThreadPoolExecutor(max_workers=2))
        services.add_ShopServicer_to_server(self, self.server)
        server_reflection.enable_server_reflection(["edition.Shop", server_reflection.SERVICE_NAME], self.server)
        self.url = f"http://127.0.0.1:{self.server.add_insecure_port('127.0.0.1:0')}"

    def Order(self, request, context):
        self.received.append(request)
        return messages.OrderReply(said=request.name)


@pytest.fixture
def shop():
    shop = Shop()
    shop.server.start()
    yield shop
    shop.server.stop(grace=None).wait()


@pytest.fixture
def descriptor_set(tmp_path):
    """Makes the output of protoc, with the file written in the given edition."""

    def make(edition):
        for name in ["edition.proto", "legacy.proto"]:
            text = (HERE / name).read_text()
            (tmp_path / name).write_text(text.replace('edition = "2023"', f'edition = "{edition}"'))
        file = tmp_path / "shop.pb"
        own = Path(grpc_tools.__file__).parent / "_proto"
        args = ["protoc", f"-I{tmp_path}", f"-I{own}", "--include_imports", f"--descriptor_set_out={file}"]
        assert protoc.main([*args, "edition.proto"]) == 0
        return file

    return make


def wanted(number):
    """The same request, made by protobuf's own library."""
    Item = messages.OrderRequest.Item
    request = messages.OrderRequest(
        name=str(number), count=0, packed=[1, 300], expanded=[2, 400],
        item=Item(name="a", inner=Item(name="b"), whole=Item(name="c")), items=[Item(name="d"), Item()],
        size=1, that=7, must=1, color=6,
    )  # fmt: skip
    request.by_name["k"].name = "e"
    request.at.FromJsonString("2026-01-02T03:04:05Z")
    return request


@pytest.mark.parametrize("source", ["reflection", "2023", "2023 twice", "2024"])
def test_an_edition_is_driven(shop, descriptor_set, run, source):
    flags = []
    if source != "reflection":
        edition, *twice = source.split()
        file = descriptor_set(edition)
        if twice:
            file.write_bytes(file.read_bytes() * 2)
        flags = ["--descriptor-set", file]
    code, report, _, said = run(shop.url, *ORDER, "--data", DATA, *flags)
    assert (code, said) == (0, ""), said
    assert report["ledger"]["ok"] == 5
    received = sorted(shop.received, key=lambda request: request.name)
    assert received == [wanted(number) for number in range(5)]
    # Not only the same values: the same bytes, as groups, packed and unpacked.
    assert received[0].SerializeToString(deterministic=True) == wanted(0).SerializeToString(deterministic=True)
    assert all(request.HasField("count") for request in received)


def test_an_edition_in_protobufs_own_language_is_refused_with_the_way_out(shop, run):
    code, report, _, said = run(shop.url, *ORDER, "--proto", HERE / "edition.proto")
    assert (code, report) == (2, None)
    assert said.count("\n") == 1 and "edition.proto is written in an edition" in said and "--descriptor-set" in said
    importing = HERE / "imports_edition.proto"
    code, _, _, said = run(shop.url, *ORDER, "--proto", importing)
    assert code == 2 and "legacy.proto is written in an edition" in said, said
