# NOT TRIED YET: no container engine was at hand where this was written.
FROM python:3.13-slim AS build
COPY . /source
RUN python -m venv /opt/inkdigit && \
    /opt/inkdigit/bin/pip install --no-cache-dir --constraint /source/requirements-pins.txt '/source[serve]'

FROM python:3.13-slim
COPY --from=build /opt/inkdigit /opt/inkdigit
USER 10001
ENV INKDIGIT_HOST=0.0.0.0 PYTHONDONTWRITEBYTECODE=1
EXPOSE 8000
HEALTHCHECK --start-period=20s CMD ["/opt/inkdigit/bin/python", "-c", \
  "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/ready', timeout=3)"]
CMD ["/opt/inkdigit/bin/inkdigit", "serve"]
