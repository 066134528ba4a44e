# Unit tests of the base layer.
