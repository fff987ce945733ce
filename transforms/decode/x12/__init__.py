"""X12 interchanges (ASC X12 005010: 837, 835, 270, 271) -> units and raw tables."""
