"""Corrections of the Snowflake double (fakesnow): where it differs from the service in what this product uses.

Each correction says what the service does and what the double did. They replace private names of fakesnow, so that its version is
pinned exactly in `requirements/snowflake_double.in`. Runs in the double's own environment, never in the product's.
"""
