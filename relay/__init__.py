"""The Bitrix24 relay: webhooks in, personal notifications out.

        the sender waits: be quick                        nobody waits: be patient
┌────────────── intake ──────────────┐  ┌──────── router ─────────┐  ┌────────────── courier ──────────────┐
HTTP ─▶ verify ─▶ read ─▶ JOURNAL ─▶ 202  journal ─▶ decide ─▶ OUTBOX  outbox ─▶ pace ─▶ call ─▶ settle ─▶ portal
        bytes     Event                    Event + rules ─▶ Messages  Parcel                    Verdict

Three corridors, two walls on disk between them. This file imports nothing.
"""

__version__ = "0.1.0"
