def format_table(row):
    return "\n".join(f"{name:12} {value}" for name, value in row.items())
