"""The checks that rules name, one module a topic."""
