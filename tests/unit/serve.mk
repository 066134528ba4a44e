# Unit tests of the serve layer.
