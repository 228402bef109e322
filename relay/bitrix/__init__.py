"""The portal's language. Here stand the functions for scripts; the relay itself imports the rooms.

```python
from relay.bitrix import create_personal_notification

answer = create_personal_notification("https://example.bitrix24.com/rest/1/<secret>/", 17, "[b]Hello[/b]")
```

Adds nothing to them but the names under which OpenIntegrations offers the same, Russian and English, so that a
script moves over by its import line.
"""
# ruff: noqa: PLC2401  (the Russian names are the point)

from relay.bitrix.blocks import file_block, image_block
from relay.bitrix.notify import (
    call_method,
    create_personal_notification,
    create_system_notification,
    delete_notification,
)
from relay.bitrix.oauth import authorization_link, exchange_code, refresh_tokens, server_time

СоздатьПерсональноеУведомление = CreatePersonalNotification = create_personal_notification
СоздатьСистемноеУведомление = CreateSystemNotification = create_system_notification
УдалитьУведомление = DeleteNotification = delete_notification
ПолучитьБлокКартинки = GetPictureBlock = image_block
ПолучитьБлокФайла = GetFileBlock = file_block
ПолучитьСсылкуАвторизацииПриложения = authorization_link
ПолучитьТокен = exchange_code
ОбновитьТокен = refresh_tokens
СерверноеВремя = server_time

__all__ = [
    "CreatePersonalNotification",
    "CreateSystemNotification",
    "DeleteNotification",
    "GetFileBlock",
    "GetPictureBlock",
    "ОбновитьТокен",
    "ПолучитьБлокКартинки",
    "ПолучитьБлокФайла",
    "ПолучитьСсылкуАвторизацииПриложения",
    "ПолучитьТокен",
    "СерверноеВремя",
    "СоздатьПерсональноеУведомление",
    "СоздатьСистемноеУведомление",
    "УдалитьУведомление",
    "authorization_link",
    "call_method",
    "create_personal_notification",
    "create_system_notification",
    "delete_notification",
    "exchange_code",
    "file_block",
    "image_block",
    "refresh_tokens",
    "server_time",
]
