import streamlit as st

from src.letters import LetterService

recipient = st.text_input("Recipient")
if st.button("Write"):
    st.write(LetterService().write(recipient))
