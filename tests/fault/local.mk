# Tests that make every allocation fail once.
