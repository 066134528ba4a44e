# Unit tests of the text layer.
