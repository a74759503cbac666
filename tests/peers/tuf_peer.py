"""python-tuf as a peer: reads a repository of ours, and writes one for us to read.

tuf_peer.py read ROOT_JSON REPOSITORY TARGET   prints the target's SHA-256
tuf_peer.py write FOLDER                       writes root.json, metadata/ and targets/
"""

import datetime
import hashlib
import os
import sys
import tempfile

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import (
    Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp,
)
from tuf.ngclient import Updater
from tuf.ngclient.fetcher import FetcherInterface


class FolderFetcher(FetcherInterface):
    """Files instead of HTTP: `repository:` stands for the folder."""

    def __init__(self, folder):
        self.folder = folder

    def _fetch(self, url):
        path = os.path.join(self.folder, url.split("repository/", 1)[1])
        if not os.path.exists(path):
            from tuf.api.exceptions import DownloadHTTPError
            raise DownloadHTTPError("not found", 404)
        with open(path, "rb") as file:
            yield file.read()


def read(root, folder, target):
    with tempfile.TemporaryDirectory() as kept:
        with open(root, "rb") as file:
            bootstrap = file.read()
        updater = Updater(
            kept, "http://repository/metadata/", os.path.join(kept), "http://repository/targets/",
            fetcher=FolderFetcher(folder), bootstrap=bootstrap,
        )
        updater.refresh()
        info = updater.get_targetinfo(target)
        path = updater.download_target(info)
        with open(path, "rb") as file:
            print(hashlib.sha256(file.read()).hexdigest())


def write(folder):
    expires = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    expires += datetime.timedelta(days=30)
    signers = {role: CryptoSigner.generate_ed25519() for role in ("root", "targets", "snapshot", "timestamp")}
    root = Root(expires=expires, consistent_snapshot=True)
    for role, signer in signers.items():
        root.add_key(signer.public_key, role)
    os.makedirs(os.path.join(folder, "metadata"))
    os.makedirs(os.path.join(folder, "targets"))
    content = b"a poster of python-tuf"
    digest = hashlib.sha256(content).hexdigest()
    with open(os.path.join(folder, "targets", f"{digest}.poster.png"), "wb") as file:
        file.write(content)
    targets = Targets(expires=expires)
    targets.targets["poster.png"] = TargetFile.from_data("poster.png", content, ["sha256"])
    snapshot = Snapshot(expires=expires, meta={"targets.json": MetaFile(1)})
    timestamp = Timestamp(expires=expires, snapshot_meta=MetaFile(1))
    for role, signed, name in (
        ("root", root, "1.root.json"), ("targets", targets, "1.targets.json"),
        ("snapshot", snapshot, "1.snapshot.json"), ("timestamp", timestamp, "timestamp.json"),
    ):
        metadata = Metadata(signed)
        metadata.sign(signers[role])
        metadata.to_file(os.path.join(folder, "metadata", name))
        if role == "root":
            metadata.to_file(os.path.join(folder, "root.json"))


if __name__ == "__main__":
    {"read": read, "write": write}[sys.argv[1]](*sys.argv[2:])
