import streamlit as st

from crew import StoryCrew

topic = st.text_input("Topic")
if st.button("Write"):
    st.write(StoryCrew().crew().kickoff(inputs={"topic": topic}).raw)
