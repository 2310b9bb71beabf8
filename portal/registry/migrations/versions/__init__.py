"""The steps. Each names the one before it; the last one is `portal.registry.database.REVISION`."""
