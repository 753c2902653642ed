"""Sources that are pulled, against servers on loopback."""
