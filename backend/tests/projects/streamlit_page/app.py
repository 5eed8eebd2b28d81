import streamlit as st

from crew import FableCrew

topic = st.text_input("Topic")
if st.button("Write"):
    st.write(FableCrew().crew().kickoff(inputs={"topic": topic}).raw)
