"""A stand-in Bitrix24 portal with its page: for trying the relay, for demonstrations, and the judge in its tests.

It is written from Bitrix24's documentation and imports nothing else of the relay.
"""

from relay.sandbox.app import create_app
from relay.sandbox.people import DEMO_PEOPLE, Person
from relay.sandbox.portal import Portal
from relay.sandbox.server import Server, serve

__all__ = ["DEMO_PEOPLE", "Person", "Portal", "Server", "create_app", "serve"]
