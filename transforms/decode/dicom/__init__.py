"""DICOM files (PS3.10): their data elements, never their pixels."""
