"""Send so many notifications with b24pysdk, Bitrix24's own library, as its documentation says: `call_batches`.

    python b24pysdk_sender.py WEBHOOK COUNT

Runs in the peers' environment. The library speaks only https, the stand-in portal only http: its address is changed.
"""

import sys
from urllib.parse import urlsplit

from b24pysdk import BitrixWebhook

for caller in vars(sys.modules["b24pysdk.api.callers.call_method"]).values():
    if isinstance(caller, type) and "_base_url" in vars(caller):
        caller._base_url = property(lambda self: f"http://{self._domain}/rest")

address = urlsplit(sys.argv[1])
_, _, user, secret, _ = address.path.split("/")
portal = BitrixWebhook(domain=address.netloc, webhook_token=f"{user}/{secret}")
commands = {
    f"n{number}": ("im.notify.personal.add", {"USER_ID": 17, "MESSAGE": f"change-{number}"})
    for number in range(int(sys.argv[2]))
}
portal.call_batches(commands)
