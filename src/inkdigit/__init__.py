"""Inkdigit: handwritten digit recognition.

Two halves that meet in one model file: `inkdigit.learning` trains, evaluates, compares and exports
digit networks with Keras (extra `learn`); `inkdigit.reading` uses them through ONNX Runtime.
"""

__version__ = "0.1.0"
