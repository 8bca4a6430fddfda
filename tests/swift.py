"""OpenStack Swift with its S3 interface: another maker's store, four processes on ports of 127.0.0.1 that are free now."""

from __future__ import annotations

import getpass
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nvr.bench.seaweed import free_ports
from storage.objects_keys import Keys

SERVERS = ("account", "container", "object", "proxy")
KEYS = Keys("test:tester", "testing")
START_S = 60.0
PIPELINE = (
    "catch_errors proxy-logging cache listing_formats s3api tempauth bulk slo symlink versioned_writes proxy-logging"
)
FILTERS = {
    "catch_errors": "",
    "proxy-logging": "",
    "cache": "memcache_servers = 127.0.0.1:1\n",
    "listing_formats": "",
    "s3api": "s3_acl = false\nlocation = us-east-1\n",
    "tempauth": "user_test_tester = testing .admin\n",
    "bulk": "",
    "slo": "",
    "symlink": "",
    "versioned_writes": "allow_object_versioning = true\n",
}
EGGS = {"proxy-logging": "proxy_logging", "cache": "memcache"}


def configure(folder: Path, ports: dict[str, int]) -> None:
    """One device, one copy of everything."""
    (folder / "srv/d1").mkdir(parents=True)
    (folder / "swift.conf").write_text(
        "[swift-hash]\nswift_hash_path_suffix = a\nswift_hash_path_prefix = b\n"
        "[storage-policy:0]\nname = gold\ndefault = yes\npolicy_type = replication\n"
    )
    for name in SERVERS:
        pipeline = f"{PIPELINE} proxy-server" if name == "proxy" else f"{name}-server"
        text = (
            f"[DEFAULT]\nbind_ip = 127.0.0.1\nbind_port = {ports[name]}\nworkers = 0\nuser = {getpass.getuser()}\n"
            f"swift_dir = {folder}\ndevices = {folder}/srv\nmount_check = false\nfallocate_reserve = 0\n"
            f"log_address = {folder}/none\n[pipeline:main]\npipeline = {pipeline}\n"
            f"[app:{name}-server]\nuse = egg:swift#{name}\naccount_autocreate = true\n"
        )
        if name == "proxy":
            for filter_, more in FILTERS.items():
                text += f"[filter:{filter_}]\nuse = egg:swift#{EGGS.get(filter_, filter_)}\n{more}"
        else:
            for arguments in (
                ["create", "4", "1", "0"],
                ["add", f"r1z1-127.0.0.1:{ports[name]}/d1", "1"],
                ["rebalance"],
            ):
                command = [program("ring-builder"), str(folder / f"{name}.builder"), *arguments]
                subprocess.run(command, check=True, capture_output=True, timeout=60)
        (folder / f"{name}.conf").write_text(text)


def program(name: str) -> str:
    return str(Path(sys.executable).with_name(f"swift-{name}"))


@contextmanager
def swift(folder: Path) -> Iterator[str]:
    """Its endpoint, once it answers; keys are KEYS. Blocking."""
    ports = dict(zip(SERVERS, free_ports(len(SERVERS)), strict=True))
    configure(folder, ports)
    servers = []
    try:
        for name in SERVERS:
            with (folder / f"{name}.log").open("wb") as log:
                command = [program(f"{name}-server"), str(folder / f"{name}.conf"), "-v"]
                servers.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log))
        deadline = time.monotonic() + START_S
        for name, server in zip(SERVERS, servers, strict=True):
            while True:
                assert server.poll() is None, (folder / f"{name}.log").read_text()[-2000:]
                assert time.monotonic() < deadline, f"swift's {name} server did not start"
                try:
                    socket.create_connection(("127.0.0.1", ports[name]), 1).close()
                    break
                except OSError:
                    time.sleep(0.05)
        yield f"http://127.0.0.1:{ports['proxy']}"
    finally:
        for server in servers:
            server.kill()
            server.wait()
