"""The command line: arguments to calls, nothing more. Commands import heavy libraries when they need them."""
