"""The door on the command line: ``mlops-nb`` parses, asks the verbs and prints."""
