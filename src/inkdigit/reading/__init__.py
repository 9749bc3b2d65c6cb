"""Reading digits: the model file, the ink, and (to come) the reader."""

from inkdigit.reading.model_file import DigitModel, ModelInfo

__all__ = ["DigitModel", "ModelInfo"]
