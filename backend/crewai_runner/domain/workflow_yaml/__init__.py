"""Workflow documents: YAML text parsed into a `WorkflowDefinition`, and written from one.

Pure: parsing opens no file, imports no module and starts no process. `document.parse` is the entry point;
`document_keys` composes the keys of a document from the models in `domain.workflow`, and `unsupported_keys`
lists CrewAI's keys that are rejected.
"""
