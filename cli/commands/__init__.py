"""The commands, a module each, named as the command."""
