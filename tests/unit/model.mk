# Unit tests of the model layer.
