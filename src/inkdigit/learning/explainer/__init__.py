"""The explainer: one page that opens a trained network up, from its layers to its numbers."""
