"""Several hosts on one machine: network namespaces on one switch, and cables that can be pulled and put back.

Never touches the machine's own network, and leaves nothing behind however it ends: the namespaces have no names, and
are gone with the processes in them. Linux, with CAP_SYS_ADMIN and CAP_NET_ADMIN, and `ip` (iproute2).
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Literal

CLONE_NEWNET = 0x40000000  # linux/sched.h
SWITCH = "switch"
Cut = Literal["the cable is pulled", "packets vanish"]


class NotHere(Exception):
    """`ip` is not on this machine; the text is the remedy."""


class Forbidden(Exception):
    """This kernel lets us make no network namespace; the text is its reason."""


class Network:
    """Hosts with addresses, each on a port of the switch that has its name.

    ``inside`` puts the calling thread on a host: sockets, threads and processes that it makes there stay there.
    """

    def __init__(self, names: Sequence[str], stack: ExitStack) -> None:
        self._home = _opened(stack)
        self._spaces = {name: self._new_space(stack) for name in (SWITCH, *names)}
        self._addresses = {name: f"10.77.0.{number}" for number, name in enumerate(names, 1)}
        with self.inside(SWITCH):
            _ip("link add bridge type bridge")
            _ip("link set bridge up")
        for name, address in self._addresses.items():
            self._connect(name, address)

    def address(self, name: str) -> str:
        return self._addresses[name]

    def at(self, address: str) -> str:
        """The host that has this address."""
        return next(name for name, its in self._addresses.items() if its == address)

    @contextmanager
    def inside(self, name: str) -> Iterator[None]:
        _enter(self._spaces[name])
        try:
            yield
        finally:
            _enter(self._home)

    def cut(self, name: str, how: Cut = "packets vanish") -> None:
        """Cut a host off. Without its cable it knows; where packets vanish on the way nobody does."""
        with self.inside(SWITCH):
            _ip(f"link set {name} " + ("down" if how == "the cable is pulled" else "nomaster"))

    def heal(self, name: str) -> None:
        with self.inside(SWITCH):
            _ip(f"link set {name} master bridge up")

    def unacknowledged(self, name: str, by: str) -> int:
        """How many open connections of ``name`` have sent ``by`` something that it has not acknowledged (proc(5))."""
        other = bytes(map(int, self._addresses[by].split(".")))[::-1].hex().upper()
        with self.inside(name):
            rows = [row.split() for row in Path("/proc/thread-self/net/tcp").read_text().splitlines()[1:]]
        return sum(row[2].startswith(f"{other}:") and row[3] == "01" and row[4][:8] != "00000000" for row in rows)

    def _new_space(self, stack: ExitStack) -> int:
        _check(_libc().unshare(CLONE_NEWNET))
        try:
            _ip("link set lo up")
            return _opened(stack)
        finally:
            _enter(self._home)

    def _connect(self, name: str, address: str) -> None:
        there = f"/proc/{os.getpid()}/fd/{self._spaces[name]}"
        with self.inside(SWITCH):
            _ip(f"link add {name} type veth peer name eth0 netns {there}")
            _ip(f"link set {name} master bridge up")
        with self.inside(name):
            _ip(f"address add {address}/24 dev eth0")
            _ip("link set eth0 up")


@contextmanager
def network(*names: str) -> Iterator[Network]:
    """Hosts by their names, of at most 15 letters, for as long as the block lasts.

    Raises:
        NotHere: there is no `ip`.
        Forbidden: the kernel refuses, as it does without privileges and in most containers.
    """
    if shutil.which("ip") is None:
        raise NotHere("install iproute2")
    with ExitStack() as stack:
        try:
            made = Network(names, stack)
        except (OSError, AttributeError) as fault:  # no right to do it; or this is not Linux
            raise Forbidden(str(fault)) from None
        yield made


def _opened(stack: ExitStack) -> int:
    """The calling thread's network namespace, as a file that keeps it alive."""
    space = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    stack.callback(os.close, space)
    return space


def _enter(space: int) -> None:
    _check(_libc().setns(space, CLONE_NEWNET))


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)  # os.unshare and os.setns come with Python 3.12


def _check(answer: int) -> None:
    if answer != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _ip(command: str) -> None:
    """Run `ip` where the calling thread is."""
    done = subprocess.run(["ip", *command.split()], check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise OSError(f"ip {command}: {done.stderr.strip()}")
