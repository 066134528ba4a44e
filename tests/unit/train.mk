# Unit tests of the train layer.
