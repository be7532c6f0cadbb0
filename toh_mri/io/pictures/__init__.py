"""Exported pictures of single slices."""
