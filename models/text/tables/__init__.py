"""Tables in files: CSV, Parquet, Excel."""
