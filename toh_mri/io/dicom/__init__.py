"""DICOM: headers, stacks, geometry, pixels."""
