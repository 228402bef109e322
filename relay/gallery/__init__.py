"""What notifications look like, before any is sent: events in words, as lines of text or as one page of HTML.

Never reads a file of yours, and sends nothing: who calls it brings the events.
"""

from relay.gallery.exhibit import LOCALES, Exhibit, exhibit, people
from relay.gallery.lines import lines, message_lines
from relay.gallery.page import page

__all__ = ["LOCALES", "Exhibit", "exhibit", "lines", "message_lines", "page", "people"]
