"""Packages and layers: real zips to the byte, Lambda's limits, which file wins, open holes."""

from __future__ import annotations

import io
import math
import zipfile

import pytest

from simulations.experiments import lambda_layers as layers
from simulations.experiments.records import record
from simulations.facts import fact
from simulations.services.package import MB, Archive, LayerVersion, Package, zip_of


def layer(name: str, files: dict[str, bytes], version: int = 1) -> LayerVersion:
    return LayerVersion(name, version, Archive(name, zip_of(files)))


def zeros(name: str, size_bytes: int) -> LayerVersion:
    return layer(name, {f"python/{name}.bin": bytes(size_bytes)})


CODE = Archive("SubmitOrder", zip_of({"index.py": b"import sdk"}))


def test_the_same_files_give_the_same_bytes_and_another_date_another_hash() -> None:
    files = {"b.py": b"2" * 1000, "a/c.py": b"3"}
    one, other = zip_of(files), zip_of(dict(reversed(files.items())))
    assert one == other
    dated = Archive("dated", zip_of(files, date=(2026, 11, 23, 12, 0, 0)))
    assert dated.sha256 != Archive("one", one).sha256
    with zipfile.ZipFile(io.BytesIO(one)) as opened:
        assert {info.filename: opened.read(info) for info in opened.infolist()} == files
        assert all(info.external_attr >> 16 == 0o644 for info in opened.infolist())


def test_zips_add_up_to_the_byte() -> None:
    """The formulas of the chapter against zip files, for files of every size."""
    library = {f"lib/part{n}.py": bytes(range(256)) * n for n in range(40)}
    code = {"index.py": b"import lib"}
    both = layers.bundled_bytes(len(zip_of(code)), len(zip_of(library)))
    assert len(zip_of(code | library)) == both
    deeper = {f"python/{path}": content for path, content in library.items()}
    assert len(zip_of(deeper)) == layers.layer_bytes(len(zip_of(library)), len(library))


def test_the_recorded_zips_of_boto3_add_up_too() -> None:
    found = record("packages")
    shared, boto3 = found["shared"], found["bundles"][0]
    assert boto3["bundle"] == shared["bundle"] == "boto3"
    for code, whole in zip(shared["code_bytes"], shared["code_and_shared_bytes"], strict=True):
        assert whole == layers.bundled_bytes(code, boto3["zipped_bytes"])
    assert shared["layer_bytes"] == layers.layer_bytes(boto3["zipped_bytes"], boto3["files"])


def test_code_and_layers_count_together_up_to_the_last_byte() -> None:
    limit = fact("lambda.package")["unzipped_mb"] * MB
    rest = limit - CODE.unzipped_bytes - 100 * MB
    assert Package(CODE, (zeros("a", 100 * MB), zeros("b", rest))).unzipped_bytes == limit
    with pytest.raises(ValueError, match=r"code \+ layers unzipped=250.0 MB must be 0 to 250 MB"):
        Package(CODE, (zeros("a", 100 * MB), zeros("b", rest + 1)))


def test_a_direct_upload_is_limited_by_its_zip_and_s3_is_not() -> None:
    large = Archive("large", CODE.data.rjust(51 * MB, b"\0"))  # a zip may begin with other bytes
    with pytest.raises(ValueError, match=r"zipped large=51.0 MB must be 0 to 50 MB \(Lambda quot"):
        Package(large)
    assert Package(large, through_s3=True).unzipped_bytes == CODE.unzipped_bytes


def test_five_layers_and_one_version_of_each() -> None:
    five = tuple(layer(f"l{n}", {"python/x.py": b""}) for n in range(5))
    Package(CODE, five)
    with pytest.raises(ValueError, match="layers=6 must be 0 to 5"):
        Package(CODE, (*five, layer("l5", {"python/x.py": b""})))
    with pytest.raises(ValueError, match="l0:1 and l0:2 are versions of the same layer"):
        Package(CODE, (five[0], layer("l0", {"python/x.py": b""}, version=2)))


def test_the_last_layer_wins_and_the_functions_own_code_wins_over_both() -> None:
    base = layer("base", {"python/money.py": b"1", "python/tax/__init__.py": b""})
    team = layer("team", {"python/money.py": b"2"})
    package = Package(CODE, (base, team))
    assert package.opt["python/money.py"] == "team:1"
    assert package.hidden() == [("python/money.py", "base:1", "team:1")]
    assert Package(CODE, (team, base)).opt["python/money.py"] == "base:1"
    assert package.python_import("tax") == "/opt/python/tax/__init__.py"
    assert package.python_import("boto3") is None
    own = Archive("own", zip_of({"money.py": b"3"}))
    assert Package(own, (base, team)).python_import("money") == "/var/task/money.py"


@pytest.mark.parametrize("path", ["/etc/passwd", "../up.py", ""])
def test_a_path_stays_inside_the_archive(path: str) -> None:
    with pytest.raises(ValueError, match="must lie inside the archive"):
        zip_of({path: b""})


def test_what_is_no_zip_and_what_is_no_version_are_refused() -> None:
    with pytest.raises(ValueError, match="must be the bytes of a zip file"):
        Archive("text", b"def handler(): ...")
    with pytest.raises(ValueError, match="version=0"):
        LayerVersion("sdk", 0, CODE)


def test_uploads_of_a_month_are_the_zips_of_a_month() -> None:
    """Three functions, twice changed, and one new library: built, added, compared."""
    library = {f"lib/{n}.py": bytes(1000) for n in range(10)}
    alone, shared = len(zip_of({"index.py": b"x" * 99})), len(zip_of(library))
    built = sum(len(zip_of({"index.py": b"x" * 99} | library)) for _ in range(3 * (2 + 1)))
    month = layers.uploads(
        functions=3, shared_mb=max(0.1, shared / MB), files=10, code_changes=2.0, code_kb=1.0
    )
    size, code = round(max(0.1, shared / MB) * MB), 1024
    expected = built + 9 * (size - shared + code - alone)
    assert month["without"] == expected
    assert month["with"] == 3 * 2 * code + layers.layer_bytes(size, 10)


def test_a_hole_stays_open_as_long_as_poisson_deployments_say() -> None:
    result = layers.exposure(replications=400)
    low, high = result.numbers["function-days"].low, result.numbers["function-days"].high
    assert low is not None
    assert high is not None
    assert low <= result["function-days expected"] <= high
    assert result["versions in use"] == pytest.approx(result["versions expected"], rel=0.03)
    points, theory = result.get("next deployment"), result.get("theory")
    expected = dict(zip(theory.x, theory.y, strict=True))
    for day, share in zip(points.x, points.y, strict=True):
        assert math.isclose(share, expected[day], abs_tol=2.0)


def test_one_function_uses_one_version() -> None:
    assert layers.versions_expected([5.0]) == pytest.approx(1.0)
