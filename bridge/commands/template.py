"""`omi-bridge template FILE`: a table to start from, with headers that are understood and rows that show how."""

import sys
from pathlib import Path

import click

from bridge.commands.options import PlainCommand
from bridge.starters import ENDINGS, lines_for, starter


@click.command(cls=PlainCommand)
@click.option("--extensions", is_flag=True, help="Who has which extension, not who owns which customer.")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def template(file: Path, *, extensions: bool) -> None:
    """Write an empty table with headers that are understood: FILE.xlsx or FILE.csv. No file is overwritten."""
    ending = file.suffix.lower()
    if ending not in ENDINGS:
        raise click.UsageError(f"the file's name has to end with {' or '.join(ENDINGS)}: {file}")
    kind = "extensions" if extensions else "customers"
    content = starter(f"{kind}{ending}")
    try:
        with file.open("xb") as new:
            new.write(content)
    except FileExistsError:
        click.echo(f"{file}: is there already, and left alone: choose another name", err=True)
        sys.exit(1)
    except OSError as error:
        click.echo(f"{file}: cannot be written: {error.strerror}", err=True)
        sys.exit(1)
    click.echo(f"{file} is written. Delete its two example rows, fill it in, and name it in the configuration:")
    click.echo(lines_for(kind, str(file)))
