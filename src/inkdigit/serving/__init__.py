"""Serving: numbers read over HTTP, and a page to write them on (extra `serve`).

Knows `Reader` and `Reading`; nothing of pixels, runtimes or where models come from.

    settings    every setting once: flags, INKDIGIT_*, documents
    server      uvicorn around the application: one process or several
    app         all of the following as one ASGI application
    middleware  access log, lingering close, load shedding
    routes      the API
    operations  health, readiness, metrics, documents, the page
    uploads     a request's body → files, counted as it arrives
    service     a file and its options → the answer
    batching    the threads that read, and what waits for them
    quota       places and memory, which are bounded
    schemas     the answers, as the OpenAPI describes them
    problems    which error has which status, as problem JSON (RFC 9457)
    metrics     what Prometheus is told
    page/       plain modules and CSS
"""
