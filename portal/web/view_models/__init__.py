"""What pages show, worked out as plain values. Pure: no Streamlit, no desk."""
