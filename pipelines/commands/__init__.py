"""The command line, a module a theme; heavy imports happen inside the commands that need them."""
