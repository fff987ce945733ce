"""C-CDA R2.1 documents (HL7 CDA R2) -> units and raw tables."""
