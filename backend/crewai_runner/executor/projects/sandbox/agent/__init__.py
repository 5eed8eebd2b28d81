"""The sandbox service: a process in a container of its own that runs commands of projects for the workers."""
