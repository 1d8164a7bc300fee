"""The live tenant files (*.yaml) and the pure compiler."""
