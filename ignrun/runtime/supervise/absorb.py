"""Turns what the loop heard about hosts and commands into records of the roster."""

from typing import assert_never

from ignrun.runtime.supervise import command_news, host_news
from ignrun.runtime.supervise.draft import Draft
from ignrun.runtime.supervise.messages import (
    CommandEnded,
    CommandFailed,
    CommandReady,
    CommandReloaded,
    CommandStarted,
    HostEnded,
    HostLaunched,
    HostSaid,
    Probed,
)

News = (
    HostLaunched
    | HostSaid
    | HostEnded
    | CommandStarted
    | CommandReady
    | CommandFailed
    | CommandEnded
    | CommandReloaded
    | Probed
)
"""The messages that tell what processes do; all of them carry an epoch, and stale ones are dropped."""


def absorb(draft: Draft, news: News) -> None:
    """Take one piece of news in."""
    match news:
        case HostLaunched():
            host_news.launched(draft, news)
        case HostSaid():
            host_news.said(draft, news)
        case HostEnded():
            host_news.ended(draft, news)
        case CommandStarted():
            command_news.started(draft, news)
        case CommandReady():
            command_news.ready(draft, news)
        case CommandFailed():
            command_news.failed(draft, news)
        case CommandEnded():
            command_news.ended(draft, news)
        case CommandReloaded():
            command_news.reloaded(draft, news)
        case Probed():
            command_news.probed(draft, news)
        case _:
            assert_never(news)
