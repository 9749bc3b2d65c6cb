"""Documents of several pages, made as other programs make them."""

import io

from PIL import Image

SHADES = (10, 100, 200)


def document(kind: str, shades: tuple[int, ...] = SHADES, **options: object) -> bytes:
    pages = [Image.new("L", (40, 60), shade) for shade in shades]
    stream = io.BytesIO()
    pages[0].save(stream, kind, save_all=True, append_images=pages[1:], **options)
    return stream.getvalue()


def pdf(*contents: bytes, box: str = "0 0 72 144", trailer: str = "", page: str = "") -> bytes:
    """A PDF of one page for each content stream, written by hand."""
    kids = " ".join(f"{3 + 2 * index} 0 R" for index in range(len(contents)))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Kids[{kids}]/Count {len(contents)}>>".encode(),
    ]
    for index, content in enumerate(contents):
        objects += [
            f"<</Type/Page/Parent 2 0 R/MediaBox[{box}]{page}".encode()
            + b"/Contents %d 0 R>>" % (4 + 2 * index),
            b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
        ]
    written, places = b"%PDF-1.4\n", []
    for number, described in enumerate(objects, 1):
        places.append(len(written))
        written += b"%d 0 obj\n%s\nendobj\n" % (number, described)
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    return (
        written
        + (
            f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
            f"trailer<</Size {len(objects) + 1}/Root 1 0 R{trailer}>>\n"
            f"startxref\n{len(written)}\n%%EOF\n"
        ).encode()
    )


HALF_BLACK = b"0 g 0 72 72 72 re f"
ENCRYPTED = pdf(
    HALF_BLACK,
    trailer=f"/Encrypt<</Filter/Standard/V 1/R 2/O({'o' * 32})/U({'u' * 32})/P -4>>"
    f"/ID[({'i' * 16})({'i' * 16})]",
)


def filled_form() -> bytes:
    """A PDF with a filled field below and something drawn by hand above it, both black squares."""
    added = b"9 0 obj<</Type/XObject/Subtype/Form/BBox[0 0 30 30]/Length 19>>stream\n"
    added += b"0 g 0 0 30 30 re f \nendstream endobj\n"
    kinds = [b"/Widget/FT/Tx/T(a)/V(5)/Rect[10 10 40 40]", b"/Ink/Rect[10 100 40 130]"]
    for number, kind in enumerate(kinds, 10):
        added += b"%d 0 obj<</Type/Annot/F 4/AP<</N 9 0 R>>/Subtype%s>>endobj\n" % (number, kind)
    content = pdf(b"", page="/Annots[10 0 R 11 0 R]").replace(b"xref\n", added + b"xref\n", 1)
    return content.replace(b"/Type/Catalog", b"/Type/Catalog/AcroForm<</Fields[10 0 R]>>")
