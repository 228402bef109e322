# syntax=docker/dockerfile:1
# The relay in a container: `docker build -t bitrix24-relay .`; what runs in it is the command, `web`, `work` or `serve`.
FROM python:3.13-slim AS packages
COPY requirements.txt /
RUN python -m venv --without-pip /opt/relay \
    && pip --python /opt/relay/bin/python install --no-cache-dir --disable-pip-version-check --require-hashes \
        --requirement /requirements.txt

FROM python:3.13-slim
COPY --from=packages /opt/relay /opt/relay
COPY LICENSE /opt/relay/
COPY relay /opt/relay/app/relay
# Compiled here, for the file system is read-only where it runs; and a folder for SQLite, where no PostgreSQL is named.
RUN python -m compileall -q /opt/relay/app \
    && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin relay \
    && install --directory --owner 10001 --group 10001 --mode 0700 /var/lib/relay
ENV PATH=/opt/relay/bin:$PATH \
    PYTHONPATH=/opt/relay/app \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOST=0.0.0.0 \
    PORT=8080 \
    RELAY_RULES=/etc/relay/rules.yaml \
    DATABASE_URL=sqlite:////var/lib/relay/relay.db
WORKDIR /var/lib/relay
USER 10001:10001
VOLUME /var/lib/relay
EXPOSE 8080
# The door's; a container of `work` listens to nobody and switches this off.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/healthz', timeout=4)"]
# SIGTERM ends it: requests and calls in flight are finished first, within half a minute.
STOPSIGNAL SIGTERM
ENTRYPOINT ["python", "-m", "relay"]
CMD ["serve"]
