"""The workflow document: YAML text that people write, read into a `WorkflowDefinition` and back.

Pure: no file, network, process or import follows from what a document says. Start at `document.py`
(`parse`); `fields.py` lists every key there is, `refused.py` every key that is refused and why.
"""
