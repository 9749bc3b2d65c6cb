"""From a grey page to what a network is shown."""
