"""The use cases. The only road to data for web, api, cli and client: one short function each."""
