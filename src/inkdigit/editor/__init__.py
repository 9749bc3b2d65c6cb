"""The fields of a form, drawn by people on its blank: `inkdigit form edit`.

file        the template on the disk, which is never written over unseen
api         what the verb does
app, page/  the page, with the middleware and style of the service
"""

from inkdigit.editor.api import edit

__all__ = ["edit"]
