"""Synthetic handwriting: drawn hands on drawn paper, for networks that read other people's.

`hands` are those that write, invented or from `real_hands`; `glyphs` draws one character, `lines`
sets characters side by side as `texts` says, `paper` puts them on paper and photographs it.
"""
