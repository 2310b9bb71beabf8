"""What pages are made of: one component for one thing that is shown."""
