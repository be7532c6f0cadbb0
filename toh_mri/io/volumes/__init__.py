"""NIfTI, NRRD and MetaImage files, and the JSON files that describe them."""
