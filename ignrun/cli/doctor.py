"""Owns `ignrun doctor`: checks what this machine, this user and the folder of a plant give to a runner."""

import os
from pathlib import Path

from ignrun.cli.exit_codes import ExitCode
from ignrun.cli.options import Aim, aims_at_plant, output_option
from ignrun.cli.speech import paint_for, result
from ignrun.cli.verb import verb
from ignrun.terms.failure import NoRunner


@verb("doctor", "ignrun doctor", "ignrun doctor -m plant.yaml -o json")
@aims_at_plant
@output_option("text", "json")
def command(aim: Aim, output: str) -> ExitCode:
    """Check the interpreter, limits, file system, rights, clock, sockets, and what earlier runners left behind.

    Looks at the plant that is named or lies here, else at this folder. Ends with 1 when something is bad.
    """
    from ignrun.cli.checkup import findings
    from ignrun.cli.plant import find_plant
    from ignrun.render.doctor import doctor_report, doctor_text, encode_doctor

    try:
        plant = find_plant(aim, looking=False)
    except NoRunner:
        if any((aim.manifest, aim.name, aim.state_dir)):
            raise
        plant = None
    report = doctor_report(findings(plant, Path.cwd(), os.environ))
    result(encode_doctor(report) if output == "json" else doctor_text(report, paint_for()))
    return ExitCode.DONE if report.healthy else ExitCode.FAILURE
