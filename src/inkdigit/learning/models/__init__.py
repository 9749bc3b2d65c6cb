"""What a training leaves: run folders, Keras files, model files."""
