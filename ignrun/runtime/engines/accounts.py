"""Turns the user that a command is to run as into an account: numbers, home, groups."""

import os

import msgspec


class Account(msgspec.Struct, frozen=True):
    """One user of this machine; `groups` are those besides the first one."""

    name: str
    uid: int
    gid: int
    home: str
    groups: tuple[int, ...] = ()

    @property
    def owner(self) -> tuple[int, int]:
        """User and group by number."""
        return self.uid, self.gid

    @property
    def is_own(self) -> bool:
        """Whether it is the runner's own user."""
        return self.uid == os.geteuid()

    @property
    def environment(self) -> dict[str, str]:
        """What a login would set."""
        return {"HOME": self.home, "USER": self.name, "LOGNAME": self.name}


def account_of(user: str | None) -> Account | None:
    """Find a user by name or number, None for the runner's own; raises ValueError where there is none, or only root may be him."""
    if user is None:
        return None
    import pwd

    try:
        found = pwd.getpwuid(int(user)) if user.isdigit() else pwd.getpwnam(user)
    except KeyError:
        raise ValueError(f"there is no user `{user}`") from None
    groups = tuple(group for group in os.getgrouplist(found.pw_name, found.pw_gid) if group != found.pw_gid)
    account = Account(found.pw_name, found.pw_uid, found.pw_gid, found.pw_dir, groups)
    if os.geteuid() != 0 and not account.is_own:
        raise ValueError(f"only root's runner can run it as `{user}`")
    return account
