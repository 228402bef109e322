"""Send so many notifications with fast_bitrix24, as its documentation says: a list, which it cuts into batches itself.

    python fast_bitrix24_sender.py WEBHOOK COUNT [--unlimited] [--chunks]

Runs in the peers' environment. ``--chunks`` gives it fifty at a time, as its users do whom a long list failed.
"""

import asyncio
import sys

from fast_bitrix24 import BitrixAsync


async def main(webhook: str, count: int, options: list[str]) -> None:
    pace = {"request_pool_size": 10_000, "requests_per_second": 10_000.0} if "--unlimited" in options else {}
    portal = BitrixAsync(webhook, verbose=False, **pace)
    items = [{"USER_ID": 17, "MESSAGE": f"change-{number}"} for number in range(count)]
    size = 50 if "--chunks" in options else count
    for first in range(0, count, size):
        await portal.call("im.notify.personal.add", items[first : first + size])


asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3:]))
