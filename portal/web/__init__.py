"""The pages. Streamlit in front, the desk behind; nothing here decides what may be seen."""
