"""Numba code only: arrays in, arrays out. Knows no file, no configuration, no other room."""
