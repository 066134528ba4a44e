# Tests that talk to the programs from outside.
