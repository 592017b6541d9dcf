"""What people read: tables in the terminal, Markdown, one HTML page, figures."""
