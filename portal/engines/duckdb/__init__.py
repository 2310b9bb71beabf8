"""DuckDB underneath: the parser, the trusted engine on the platform's extracts, and the sandbox."""
