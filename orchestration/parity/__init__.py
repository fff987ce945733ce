"""Parity: the same raw rows through the same models on DuckDB and on Snowflake, and whether both hold the same afterwards."""
