"""Deployment packages: real zip files of code and layers, checked against Lambda's limits.

A zip made here is the same to the last byte whenever and wherever it is made. May import: the
standard library, `simulations.facts` and `simulations.services.limits`.
"""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from simulations._check import whole
from simulations.facts import fact
from simulations.services.limits import limited, source_of

#: Lambda counts a MB as 2**20 bytes: `aws lambda get-account-settings` prints CodeSizeUnzipped
#: 262144000 and CodeSizeZipped 52428800 (AWS CLI reference, read November 2026).
MB = 2**20
#: What a zip file costs besides its files: the record that ends its central directory.
END_RECORD_BYTES = 22
#: Zip cannot write an earlier date; any fixed date would do.
EPOCH = (1980, 1, 1, 0, 0, 0)
#: Where a layer's Python packages must lie, searched in this order after the function's code.
PYTHON_FOLDERS = ("python", "python/lib/python3.14/site-packages")


def zip_of(files: Mapping[str, bytes], date: tuple[int, int, int, int, int, int] = EPOCH) -> bytes:
    """Return a zip file of `files` (path to content): the same files give the same bytes.

    Names are sorted, and every file bears the same date and rights. A zip made with the time of
    its files differs from build to build, and so does the hash by which tools decide to upload.

    Parameters
    ----------
    files
        Content by path, relative and with slashes.
    date
        Year, month, day, hour, minute, second that every file bears.

    Raises
    ------
    ValueError
        If a path is empty, absolute or leads out of the archive.

    Examples
    --------
    >>> zip_of({"b.py": b"2", "a.py": b"1"}) == zip_of({"a.py": b"1", "b.py": b"2"})
    True
    """
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as target:
        for path in sorted(files):
            if not path or path.startswith("/") or ".." in path.split("/"):
                raise ValueError(
                    f"path={path!r} is not possible: a path must lie inside the archive"
                )
            info = zipfile.ZipInfo(path, date)
            info.create_system = 3  # rights are Unix rights, also where this runs on Windows
            info.external_attr = 0o644 << 16  # Lambda must be able to read every file
            target.writestr(info, files[path], zipfile.ZIP_DEFLATED)
    return made.getvalue()


@dataclass(frozen=True)
class Archive:
    """A zip file, as it is uploaded.

    Parameters
    ----------
    name
        What messages call it.
    data
        The bytes of the zip file.

    Raises
    ------
    ValueError
        If `data` is no zip file.

    Examples
    --------
    >>> code = Archive("SubmitOrder", zip_of({"index.py": b"def handler(event, context): ..."}))
    >>> code.zipped_bytes, code.unzipped_bytes, list(code.files)
    (148, 32, ['index.py'])
    """

    name: str
    data: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not zipfile.is_zipfile(io.BytesIO(self.data)):
            raise ValueError(f"data of {self.name!r} must be the bytes of a zip file")

    @cached_property
    def files(self) -> dict[str, int]:
        """Unzipped size in bytes of each file, by path."""
        with zipfile.ZipFile(io.BytesIO(self.data)) as opened:
            return {one.filename: one.file_size for one in opened.infolist() if not one.is_dir()}

    @property
    def zipped_bytes(self) -> int:
        """What is uploaded and stored."""
        return len(self.data)

    @property
    def unzipped_bytes(self) -> int:
        """What counts against the limit of code and layers together."""
        return sum(self.files.values())

    @property
    def sha256(self) -> str:
        """The hash that Lambda shows as CodeSha256: SHA-256 of the zip file in base 64."""
        return base64.b64encode(hashlib.sha256(self.data).digest()).decode()


@dataclass(frozen=True)
class LayerVersion:
    """One published version of a layer; its content never changes.

    Raises
    ------
    ValueError
        If the version is below 1.

    Examples
    --------
    >>> LayerVersion("sdk", 2, Archive("sdk", zip_of({"python/sdk.py": b""}))).label
    'sdk:2'
    """

    name: str
    version: int
    content: Archive

    def __post_init__(self) -> None:
        whole("version", self.version, low=1)

    @property
    def label(self) -> str:
        """Name and version as they end a layer's ARN."""
        return f"{self.name}:{self.version}"


@dataclass(frozen=True)
class Package:
    """A function's code and the layer versions it names, in the order in which they merge.

    Parameters
    ----------
    code
        The function's own zip, unpacked to /var/task.
    layers
        Layer versions, unpacked to /opt one after the other.
    through_s3
        Zips were put into S3 first; a direct upload is limited.

    Raises
    ------
    ValueError
        If there are more layers, more unzipped bytes or (uploaded directly) more zipped bytes
        than Lambda allows, or two versions of one layer; the message names the number, the
        limit and its source.

    Examples
    --------
    >>> code = Archive("SubmitOrder", zip_of({"index.py": b"import sdk"}))
    >>> old = LayerVersion("sdk", 1, Archive("sdk", zip_of({"python/sdk.py": b"# 1"})))
    >>> Package(code, (old,)).unzipped_bytes
    13
    >>> Package(code, (old,) * 6)
    Traceback (most recent call last):
    ValueError: layers=6 must be 0 to 5 (Lambda quotas, https://...
    """

    code: Archive
    layers: tuple[LayerVersion, ...] = ()
    through_s3: bool = False

    def __post_init__(self) -> None:
        limits = fact("lambda.package")
        limited("layers", len(self.layers), 0, limits["layers"], "", "lambda.package")
        self._check_versions()
        if not self.through_s3:
            for one in (self.code, *(layer.content for layer in self.layers)):
                _at_most(f"zipped {one.name}", one.zipped_bytes, limits["zip_upload_mb"])
        _at_most("code + layers unzipped", self.unzipped_bytes, limits["unzipped_mb"])

    def _check_versions(self) -> None:
        seen: dict[str, LayerVersion] = {}
        for layer in self.layers:
            if layer.name in seen:
                # not in the quotas: Lambda's InvalidParameterValueException, as LocalStack's
                # tests recorded it from AWS
                raise ValueError(
                    f"layers {seen[layer.name].label} and {layer.label} are versions of the same "
                    "layer: a function must name at most one"
                )
            seen[layer.name] = layer

    @property
    def unzipped_bytes(self) -> int:
        """Bytes of code and all layers; a file that a later layer replaces counts, too."""
        return self.code.unzipped_bytes + sum(one.content.unzipped_bytes for one in self.layers)

    @property
    def opt(self) -> dict[str, str]:
        """Which layer's version of each file stands in /opt: the last one that brings it."""
        return {path: layer.label for layer in self.layers for path in layer.content.files}

    def hidden(self) -> list[tuple[str, str, str]]:
        """Files in /opt that a later layer replaced: path, layer that lost, layer that won."""
        won = self.opt
        return [
            (path, layer.label, won[path])
            for layer in self.layers
            for path in layer.content.files
            if won[path] != layer.label
        ]

    def python_import(self, module: str) -> str | None:
        """Where Python finds `module`: the path of its file, None where the runtime decides.

        The function's code is searched first, then the layers' folders.

        Examples
        --------
        >>> code = Archive("f", zip_of({"sdk.py": b"", "index.py": b""}))
        >>> layer = LayerVersion("sdk", 1, Archive("sdk", zip_of({"python/sdk.py": b""})))
        >>> Package(code, (layer,)).python_import("sdk")
        '/var/task/sdk.py'
        """
        places = [("/var/task", "", set(self.code.files))]
        places += [("/opt", f"{folder}/", set(self.opt)) for folder in PYTHON_FOLDERS]
        for root, prefix, there in places:
            for path in (f"{prefix}{module}/__init__.py", f"{prefix}{module}.py"):
                if path in there:
                    return f"{root}/{path}"
        return None


def _at_most(name: str, found_bytes: int, limit_mb: int) -> None:
    if found_bytes > limit_mb * MB:
        raise ValueError(
            f"{name}={found_bytes / MB:.1f} MB must be 0 to {limit_mb} MB "
            f"{source_of('lambda.package')}"
        )
