"""Serving: numbers read over HTTP, and a page to write them on (extra `serve`).

Knows `Reader` and `Reading`; nothing of pixels, runtimes or where models come from.

    settings    what may be set, from flags and INKDIGIT_*
    problems    refusals as problem JSON (RFC 9457)
    uploads     a request's body → files, counted as it arrives
    batching    a bounded queue before the threads that read
    service     a file and its options → the answer
    schemas     the answers, as the OpenAPI describes them
    routes      the API
    operations  health, readiness, metrics, documents, the page
    observing   request id, log line, figures and headers of every request
    draining    lets who is refused hear why
    refusing    says no in a rush, before anything costs more
    app         all of these as one ASGI application
    protocol    uvicorn's HTTP, held to what a service can bear
    server      uvicorn around it
    page/       plain modules and CSS
"""
