# Unit tests of the nn layer.
