"""Owns the options that say what a plan is limited to, and what it may do beyond the usual."""

from collections.abc import Callable
from typing import Any, TypeVar

import click
from msgspec.structs import replace

from ignrun.cli.options import decorated
from ignrun.terms.planning import Planning

F = TypeVar("F", bound=Callable[..., Any])


def says_what_to_plan(function: F) -> F:
    """Add `--target`, `--allow-replace` and `--allow-mass-delete`; they arrive in `reading`."""

    def planned(**given: Any) -> Any:
        planning = Planning(given.pop("target"), given.pop("allow_replace"), given.pop("allow_mass_delete"))
        return function(reading=replace(given.pop("reading"), planning=planning), **given)

    return decorated(
        function,
        planned,
        click.option(
            "--target", multiple=True, metavar="NAME", help="Only this module and what it requires; may be repeated."
        ),
        click.option(
            "--allow-replace",
            multiple=True,
            metavar="NAME",
            help="Let this module be replaced where a value changes that never does; may be repeated.",
        ),
        click.option("--allow-mass-delete", is_flag=True, help="Let everything, or more than half, be deleted."),
    )
