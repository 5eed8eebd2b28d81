DESCRIPTION = "Summarize the figures of week {week}"
