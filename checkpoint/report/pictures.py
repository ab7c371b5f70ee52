"""Pictures embedded in a page: reduced, and finally left out, if they exceed the budget."""

import base64
import io
from collections.abc import Sequence
from functools import cached_property

from ..errors import ProjectError

TYPES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".svg": "image/svg+xml",  # as an image it runs no scripts and loads nothing
}
WIDTHS = (1600, 1000, 640, 360)  # pixels; each picture in turn, largest first, until all fit
THUMBNAIL = 360
QUALITY = 82
READ = ("PNG", "JPEG", "GIF", "WEBP")
UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9}


class Picture:
    """A picture and its MIME type."""

    def __init__(self, content: bytes, kind: str, of_result: bool = False) -> None:
        self.content = content
        self.kind = kind
        self.of_result = of_result  # a saved figure; left out only after those in notebooks
        self.original = len(content)
        self.smaller = False  # whether it has been made smaller than it was saved
        self.left_out = False  # whether the page omits it

    @property
    def cost(self) -> int:
        """The number of characters that it takes in the page."""
        return 0 if self.left_out else len(self.content) * 4 // 3 + 60

    @property
    def src(self) -> str:
        """The picture as a data URL."""
        return f"data:{self.kind};base64,{base64.b64encode(self.content).decode()}"

    @cached_property
    def thumbnail(self) -> "Picture | None":
        """A small copy, or the picture itself if it is small; None if no copy can be made."""
        if len(self.content) < 20_000:
            return self
        small = reduced(self.content, THUMBNAIL)
        return Picture(small, "image/webp") if small else None

    def reduce(self, width: int) -> None:
        """Reduce it to a width in pixels, if that saves bytes."""
        content = reduced(self.content, width)
        if content and len(content) < len(self.content):
            self.content, self.kind, self.smaller = content, "image/webp", True


def fit(pictures: Sequence[Picture], budget: int) -> None:
    """Reduce pictures, and then leave some out, until they fit the budget."""
    by_cost = sorted(pictures, key=lambda picture: -picture.cost)
    total = sum(picture.cost for picture in pictures)
    for width in WIDTHS:
        for picture in by_cost:
            if total <= budget:
                return
            total -= picture.cost
            picture.reduce(width)
            total += picture.cost
    for picture in sorted(pictures, key=lambda picture: (picture.of_result, -picture.cost)):
        if total <= budget:
            return
        total -= picture.cost
        picture.left_out = True


def reduced(content: bytes, width: int) -> bytes | None:
    """Return a picture as WebP of at most `width` pixels; None if it cannot be converted."""
    try:
        from PIL import Image, UnidentifiedImageError, WebPImagePlugin  # noqa: F401 loads no others
    except ImportError:
        return None
    try:
        with Image.open(io.BytesIO(content), formats=READ) as image:
            mode = "RGBA" if image.has_transparency_data else "RGB"
            small = image.convert(mode)
            small.thumbnail((width, 4 * width), Image.Resampling.LANCZOS)
            written = io.BytesIO()
            small.save(written, "WEBP", quality=QUALITY, method=4)
    except (UnidentifiedImageError, OSError, ValueError, KeyError, Image.DecompressionBombError):
        return None  # a format that Pillow cannot read, such as SVG, or it cannot write WebP
    return written.getvalue()


def can_reduce() -> bool:
    """Return whether pictures can be reduced, for which Pillow must be installed."""
    from importlib.util import find_spec

    return find_spec("PIL") is not None


def budget_of(text: str) -> int:
    """Return the number of bytes that a size such as `10MB` or `500 kB` stands for.

    Raises
    ------
    ProjectError
        If the text is not a size.
    """
    number = text.strip().rstrip("BbKkMmGg").strip()
    unit = text.strip()[len(text.strip().rstrip("BbKkMmGg")) :].upper()
    try:
        amount = float(number) * UNITS[unit]
    except (KeyError, ValueError):
        amount = 0
    if not 1 <= amount < 10**12:
        raise ProjectError(
            f"--budget: expected a size such as 10MB or 500kB, but got {text!r}.",
            key="budget",
            expected="a size such as 10MB",
            found=text,
        )
    return int(amount)
