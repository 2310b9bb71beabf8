"""Where SQL runs. `port` is what the rest of the portal knows; `duckdb` is the only adapter."""
