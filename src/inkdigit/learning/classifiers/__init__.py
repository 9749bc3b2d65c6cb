"""Digit classifiers: LeNet-5 to `best`, learning from labelled digits."""
