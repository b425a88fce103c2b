"""A matplotlib figure as a small SVG that takes its colors and its font from the page.

May import matplotlib and, of the library, `simulations.figures.style`.
"""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET

import matplotlib as mpl
from matplotlib.figure import Figure

from simulations.figures.style import INK, PALETTE, settings

MAX_BYTES = 60_000
_SVG = "{http://www.w3.org/2000/svg}"
_XLINK = "{http://www.w3.org/1999/xlink}href"
_REFERENCE = re.compile(r"url\(#([^)]+)\)")
_LONG_NUMBER = re.compile(r"-?\d+\.\d{3,}")
# What browsers assume anyway.
_NEEDLESS = {
    "stroke-opacity": "1",
    "fill-opacity": "1",
    "opacity": "1",
    "stroke-linejoin": None,
    "stroke-dashoffset": "0",
    "stroke-miterlimit": None,
}


def _page_color(value: str) -> str:
    """Return a color as the page understands it: the palette as variables, ink as its own."""
    if value.lower() == INK:
        return "currentColor"
    for name, code in PALETTE.items():
        if value.lower() == code.lower():
            return f"var(--{name}, {code})"
    return value


def _short(match: re.Match[str]) -> str:
    text = f"{float(match.group()):.2f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def _style(text: str, is_text: bool) -> str:
    """Return an inline style with page colors and without what goes without saying."""
    kept = []
    for declaration in text.split(";"):
        key, _, value = (part.strip() for part in declaration.partition(":"))
        if not key or (key in _NEEDLESS and _NEEDLESS[key] in (None, value)):
            continue
        if key == "font":
            # "700 11px 'Experiment Sans'": the page sets the family, the figure the rest
            size = re.search(r"([\d.]+)px", value)
            kept.append(f"font-size: {size.group(1) if size else '11'}px")
            if value.startswith(("bold", "700")):
                kept.append("font-weight: 700")
            continue
        if key == "font-family":
            continue  # the page sets it
        if key in ("fill", "stroke"):
            value = _page_color(value)
            if is_text and key == "fill" and value == "currentColor":
                continue
        if key in ("stroke-width", "stroke-dasharray"):
            value = _LONG_NUMBER.sub(_short, value)
        kept.append(f"{key}: {value}")
    return "; ".join(kept)


def _clean(root: ET.Element) -> None:
    """Drop metadata, unused ids and needless styles; shorten coordinates."""
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in (f"{_SVG}metadata", f"{_SVG}style") or (
                child.tag == f"{_SVG}defs" and len(child) == 1 and child[0].tag == f"{_SVG}style"
            ):
                parent.remove(child)
    used = set()
    for element in root.iter():
        for value in element.attrib.values():
            used.update(_REFERENCE.findall(value))
        if _XLINK in element.attrib:
            used.add(element.attrib[_XLINK].removeprefix("#"))
    for element in root.iter():
        identity = element.attrib.get("id", "")
        if identity.startswith("class-"):
            element.set("class", identity.removeprefix("class-").rstrip("0123456789-"))
        if identity and identity not in used:
            del element.attrib["id"]
        if "style" in element.attrib:
            style = _style(element.attrib.pop("style"), element.tag == f"{_SVG}text")
            if style:
                element.set("style", style)
        for key in ("d", "x", "y", "width", "height", "transform", "points"):
            if key in element.attrib:
                value = _LONG_NUMBER.sub(_short, element.attrib[key].replace("\n", " "))
                element.set(key, value.strip())
        if element.attrib.get("transform", "").startswith("rotate(-0"):
            del element.attrib["transform"]
    _unwrap(root)


def _unwrap(parent: ET.Element) -> None:
    """Replace groups that say nothing by their children, and drop empty ones."""
    for child in list(parent):
        _unwrap(child)
    children: list[ET.Element] = []
    for child in parent:
        if child.tag == f"{_SVG}g" and not child.attrib:
            children.extend(child)
        elif not (child.tag in (f"{_SVG}g", f"{_SVG}defs") and len(child) == 0):
            children.append(child)
    parent[:] = children


def _prefix(root: ET.Element, name: str) -> None:
    """Make the ids of this figure its own among all the figures of a page."""
    ids = [e.attrib["id"] for e in root.iter() if "id" in e.attrib]
    new = {old: f"{name}-{i}" for i, old in enumerate(ids)}
    for element in root.iter():
        for key, value in element.attrib.items():
            if key == "id":
                element.set(key, new[value])
            elif key == _XLINK:
                element.set(key, "#" + new[value.removeprefix("#")])
            elif "url(#" in value:
                element.set(key, _REFERENCE.sub(lambda m: f"url(#{new[m.group(1)]})", value))


def to_svg(figure: Figure, name: str, alt: str) -> str:
    """Return the figure as inline SVG in the page's colors.

    Texts stay texts; the palette becomes CSS variables with the fall-back colors; ink becomes
    `currentColor`; ids carry the figure's name. The same figure gives the same characters.

    Parameters
    ----------
    figure : Figure
        A figure drawn under `style.settings()`.
    name : str
        The figure's id on the page; prefixes the ids within.
    alt : str
        What the figure shows, in words; becomes the label of the image.

    Raises
    ------
    ValueError
        If the SVG is larger than 60 kB: draw fewer points.
    """
    buffer = io.StringIO()
    with mpl.rc_context(settings()):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    ET.register_namespace("", _SVG.strip("{}"))
    ET.register_namespace("xlink", _XLINK.split("}")[0].strip("{"))
    root = ET.fromstring(buffer.getvalue())
    _clean(root)
    _prefix(root, name)
    for key in ("width", "height", "version", "id"):
        root.attrib.pop(key, None)
    root.set("class", "sbe-figure")
    root.set("role", "img")
    root.set("aria-label", " ".join(alt.split()))
    for element in root.iter():  # white space between elements is most of what is left to save
        if element.tag != f"{_SVG}text" and not (element.text or "").strip():
            element.text = None
        if not (element.tail or "").strip():
            element.tail = None
    text = ET.tostring(root, encoding="unicode")
    # HTML knows href without a namespace, and browsers know it in SVG
    text = text.replace("xlink:href", "href").replace(
        ' xmlns:xlink="http://www.w3.org/1999/xlink"', ""
    )
    if len(text.encode()) > MAX_BYTES:
        raise ValueError(
            f"figure {name!r} has {len(text.encode()):,} bytes, at most {MAX_BYTES:,} are allowed: "
            "draw fewer points"
        )
    return text
