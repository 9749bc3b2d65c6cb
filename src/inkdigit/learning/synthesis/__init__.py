"""Synthetic handwriting: drawn hands on drawn paper, for networks that read other people's.

`glyphs` draws one character by one of three hands (MNIST's writers, pen strokes, a font), `lines`
sets characters side by side, `paper` puts them on paper and photographs it.
"""
