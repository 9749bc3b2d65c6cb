"""Forms: where the fields of a page stand, found by registering it onto its blank.

template      a form: its pages, fields and rules, as one JSON file
rules         what must hold among the fields of a form
blank         from a blank PDF or picture to a template
registration  from a scan to the frame of its blank, verified or refused
writing       what was written in a field, without what the blank prints there
fields        from what was written to a reading
forms         from pages to forms, whose fields are decided together
overlay       the template drawn over a scan, for people
"""

# What stands for the text of a field that has none.
BLANK, CROSSED_OUT = "blank", "crossed out"
# The columns of a form's row ahead of its fields, and how that of a field's status ends.
FORM_COLUMNS, STATUS = ("source", "page", "form", "status", "reason"), ".status"
