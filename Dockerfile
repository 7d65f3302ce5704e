# syncd in a container: built from a checkout, run by a user without rights.
#
#   docker build -t syncd .
#   docker run --stop-timeout 40 -v syncd-state:/var/lib/syncd -v ./syncd.yaml:/etc/syncd/syncd.yaml:ro \
#     -v ./credentials:/run/credentials:ro -e CREDENTIALS_DIRECTORY=/run/credentials \
#     -p 127.0.0.1:8480:8480 syncd
#
# Runs in progress have 25 seconds after a stop, Docker by itself waits for 10. The port has /metrics
# and /healthz too: it stays on this machine, and a proxy passes /webhooks/ alone.
# In the configuration: `store: sqlite:////var/lib/syncd/syncd.db` and `server.listen: 0.0.0.0:8480`.

FROM python:3.13-slim AS build
WORKDIR /src
COPY requirements.lock requirements-dev.lock ./
RUN python -m venv /opt/syncd \
 && /opt/syncd/bin/pip install --no-cache-dir --require-hashes -r requirements.lock \
 && python -m venv /opt/build \
 && /opt/build/bin/pip install --no-cache-dir --require-hashes -r requirements-dev.lock
COPY pyproject.toml README.md syncd.yaml.example ./
COPY syncd syncd
COPY connectors connectors
COPY config config
RUN /opt/build/bin/python -m hatchling build -t wheel -d /dist \
 && /opt/syncd/bin/pip install --no-cache-dir --no-deps /dist/*.whl

FROM python:3.13-slim
RUN useradd --system --uid 900 --home-dir /var/lib/syncd --create-home syncd
COPY --from=build /opt/syncd /opt/syncd
ENV PATH=/opt/syncd/bin:$PATH PYTHONUNBUFFERED=1
# By number: whoever runs it can see that it is not root.
USER 900
WORKDIR /var/lib/syncd
VOLUME /var/lib/syncd
EXPOSE 8480
# Runs in progress have 25 seconds after this.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8480/readyz', timeout=4)"]
ENTRYPOINT ["syncd"]
CMD ["run", "--config", "/etc/syncd/syncd.yaml"]
