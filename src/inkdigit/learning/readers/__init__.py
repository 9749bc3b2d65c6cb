"""The networks that read in use, `line` and `single`, learning from drawn handwriting."""
