"""The page about the command line names every command with every option, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click

from nvr.cli import nvr

PAGE = (Path(__file__).parents[2] / "docs/reference/cli.md").read_text("utf-8")
LISTS = {"list", "show", "timeline", "probe", "check", "fsck", "backup", "bench"}


def commands(group: click.Group, words: str) -> Iterator[tuple[str, click.Command]]:
    """Each command that does something, with the words that call it."""
    context = click.Context(group, info_name=words)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None, f"{words} {name} is listed and not there"
        if isinstance(command, click.Group):
            yield from commands(command, f"{words} {name}")
        else:
            yield f"{words} {name}", command


def options(command: click.Command) -> set[str]:
    return {option.opts[0] for option in command.params if isinstance(option, click.Option)}


def test_every_command_is_told_with_its_options_and_arguments() -> None:
    told = {}
    for words, named in re.findall(r"(?m)^\| `(nvr [^`]+)` \| (.*?) \| ", PAGE):
        name = re.match(r"nvr(?: [a-z][a-z-]*)+", words)
        assert name is not None, words
        told[name[0]] = (bool(words[name.end() :]), set(re.findall(r"`(--?[a-z0-9-]+)`", named)))
    offered = {
        words: (any(isinstance(parameter, click.Argument) for parameter in command.params), options(command))
        for words, command in commands(nvr, "nvr")
    }
    assert told == offered


def test_every_command_says_what_it_does_in_a_sentence() -> None:
    for words, command in commands(nvr, "nvr"):
        assert command.help, words
        assert command.get_short_help_str(200).endswith("."), words


def test_commands_that_list_answer_in_json() -> None:
    for words, command in commands(nvr, "nvr"):
        if words.rsplit(" ", 1)[1] in LISTS:
            assert "--json" in options(command), words
