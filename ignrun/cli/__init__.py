"""The command line: one file per verb, and `ignrun.cli:ignrun`, the group that other click programs may mount."""


def __getattr__(name: str) -> object:
    if name == "ignrun":
        from ignrun.cli.group import ignrun

        return ignrun
    message = f"module `ignrun.cli` has no attribute `{name}`"
    raise AttributeError(message)
