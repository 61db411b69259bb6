"""The command.  It passes on what it is told to ``installer`` and to the functions in the database,
and shows what they say; it computes nothing itself.

- commands: the subcommands and their options
- run: from a command line to an exit status; errors in words
- places: the databases, by URL or by Django's alias
- screen: lines, tables and progress, on a terminal and elsewhere
"""
