"""Learning: labelled digits in, a trained, evaluated, compared and exported network out.

Needs the extra `learn` (or `training` with a Keras backend of your own). The usual way through:

    from inkdigit.learning.datasets import load_dataset
    from inkdigit.learning.settings import TrainingSettings
    from inkdigit.learning.classifiers.train import train

    dataset = load_dataset("auto")
    run = train(TrainingSettings(network="classic"), dataset, "runs/classic")
    run.metrics["test_accuracy"]
"""
