"""DuckDB behind the engine port: the sandbox of researchers' statements, the trusted engine, the parser.

`sandbox` and `pool` run in the portal; `zygote`, `child` and `confinement` on the other side of a socket, where the
portal's data and secrets never are. Those import nothing of the portal but each other.
"""
