"""What Inkdigit is held against: other readers, and other people's training recipes."""
