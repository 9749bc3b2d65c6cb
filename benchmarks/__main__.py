"""`python -m benchmarks PART` measures one part; `python -m benchmarks PART --help` tells more."""

import argparse
import sys
from importlib import import_module

from inkdigit.errors import InkdigitError

PARTS = {
    "learning": "the plain networks, and the README's pictures (hours, resumable)",
    "records": "recipes for few parameters or most accuracy (hours, resumable)",
    "fast": "seconds to 99 %, beside keras.io and train_mnist_fast (minutes)",
    "inference": "digits a second, by every way of running a network (minutes)",
    "robustness": "digits that are corrupted, turned, moved, zoomed, by other hands (minutes)",
    "reading": "real handwriting, beside other readers, and what each review rule earns (minutes)",
    "adapting": "readers that learn from piles of real hands, what they lose (hours, resumable)",
    "reading-speed": "lines a second, latency, cold start, memory, sizes (minutes)",
    "many": "folders of pictures, by one job, two jobs and Ray (a quarter of an hour)",
    "forms": "forms registered, found on blanks, and read (half an hour)",
    "pages": "handwritten numbers found on pages, beside others (a quarter of an hour)",
    "classroom": "a class: sheets collected, learned from, judged by writer (minutes)",
    "class-blank": "the blank of a class's sheet (seconds)",
    "serving": "the service under load, overload and attack (half an hour)",
    "review": "a scripted person settles fields in a browser; kills; audits (minutes)",
    "hands": "published sets of handwriting, made into the folder that --hands takes (minutes)",
    "explaining": "the explainer in a browser, and what its explanations are worth (minutes)",
    "claims": "the files of docs/forms.md (seconds)",
    "gallery": "the pictures of docs/gallery.md (a minute)",
    "tables": "the documents' tables, from benchmarks/results (seconds)",
}


def main(arguments: list[str]) -> int:
    """Run the part that is named, and return the exit code."""
    listed = "\n".join(f"  {name:14} {what}" for name, what in PARTS.items())
    parser = _parser("python -m benchmarks", f"{__doc__}\n\n{listed}")
    parser.add_argument("part", choices=PARTS, metavar="PART")
    name = parser.parse_args(arguments[:1]).part
    module = import_module(f"benchmarks.{name.replace('-', '_')}")
    flags = _parser(f"python -m benchmarks {name}", module.__doc__)
    module.add_flags(flags)
    try:
        module.main(flags.parse_args(arguments[1:]))
    except InkdigitError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def _parser(name: str, about: str | None) -> argparse.ArgumentParser:
    form = argparse.RawDescriptionHelpFormatter
    return argparse.ArgumentParser(prog=name, description=about, formatter_class=form)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
