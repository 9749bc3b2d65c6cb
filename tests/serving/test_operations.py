import httpx
from drawing import png
from running import Running

import inkdigit


def test_health_readiness_and_version(service: Running) -> None:
    assert service.get("/health").json() == {"status": "ok"}
    assert service.get("/ready").json() == {"status": "ready"}
    version = service.get("/version").json()
    assert version == {"inkdigit": inkdigit.__version__, "model": inkdigit.Reader.load().model}


def test_probes_may_ask_for_the_head_alone(service: Running) -> None:
    for path in ("/", "/health", "/ready"):
        answer = httpx.head(service.url + path)
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers["content-length"] == service.get(path).headers["content-length"]


def test_figures_count_what_happens(service: Running) -> None:
    names = ("inkdigit_requests_total", "inkdigit_readings_total", "inkdigit_request_seconds_count")
    before = [service.figure(name) for name in names]
    service.read(png("12"))
    service.read(b"nothing")
    after = [service.figure(name) for name in names]
    assert after[0] - before[0] >= 2
    assert after[1] - before[1] == 1
    assert after[2] - before[2] >= 2
    text = service.get("/metrics").text
    assert 'inkdigit_requests_total{method="POST",route="/v1/read",status="422"}' in text
    assert "inkdigit_queue 0.0" in text


def test_what_clients_make_up_is_no_label(service: Running) -> None:
    httpx.request("BREW", f"{service.url}/tea/{'x' * 50}")
    text = service.get("/metrics").text
    assert "BREW" not in text
    assert "tea" not in text


def test_the_api_is_described_without_the_internet(service: Running) -> None:
    described = service.get("/openapi.json").json()
    read = described["paths"]["/v1/read"]["post"]
    assert set(read["requestBody"]["content"]) >= {"multipart/form-data", "application/json"}
    assert {p["name"] for p in read["parameters"]} >= {"pattern", "check", "single", "shown"}
    assert {"200", "401", "408", "413", "415", "422", "503"} <= set(read["responses"])
    schemes = described["components"]["securitySchemes"].values()
    assert {(scheme["type"], scheme.get("name")) for scheme in schemes} == {
        ("apiKey", "X-API-Key"),
        ("http", None),
    }
    # Either is enough.
    assert len(read["security"]) == 2
    assert "security" not in described["paths"]["/health"]["get"]
    page = service.get("/docs").text
    assert "//" not in page
    for name in ("swagger/swagger-ui.css", "swagger/swagger-ui-bundle.js", "page/docs.js"):
        assert name in page
        assert service.get(f"/{name}").status_code == 200
