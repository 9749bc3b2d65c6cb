"""How well networks read labelled digits: figures, pictures, reports, comparisons."""
