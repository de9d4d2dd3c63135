"""From a trained generator to samples."""
