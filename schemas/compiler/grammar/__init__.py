"""The vocabulary the language is defined in: shapes that check nodes, build values and print themselves."""
