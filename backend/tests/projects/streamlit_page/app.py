import streamlit as st

from crew import ArticleCrew

topic = st.text_input("Topic")
if st.button("Write"):
    st.write(ArticleCrew().crew().kickoff(inputs={"topic": topic}).raw)
