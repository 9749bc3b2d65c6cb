import httpx
from drawing import png
from running import occupy, running, until

PICTURE, ORIGIN = png("5"), "https://a.example"


def test_a_full_queue_refuses_before_it_looks_at_what_is_asked() -> None:
    flags = ["--queue", "2", "--max-files", "2", "--cors-origins", ORIGIN]
    with running(*flags, INKDIGIT_API_KEYS="key") as service:
        clients = occupy(service, 2)
        headers = {"X-Request-ID": "rush", "Origin": ORIGIN}
        # Neither the key, nor the query, nor the content type is right.
        for path in ("/v1/read?nonsense=1", "/v1/read/batch"):
            refused = httpx.post(service.url + path, content=PICTURE, headers=headers)
            assert refused.status_code == 503
            assert refused.headers["content-type"] == "application/problem+json"
            assert refused.headers["retry-after"] == "1"
            assert refused.headers["access-control-allow-origin"] == ORIGIN
            problem = refused.json()
            assert problem["instance"] == "urn:request:rush"
            assert problem["detail"] == "the service is busy: try again in a moment"
        # What is no work for the readers is answered as ever.
        assert service.get("/health").status_code == 200
        assert service.get("/v1/nothing").status_code == 404
        counted = 'inkdigit_requests_total{method="POST",route="/v1/read",status="503"} 1.0'
        assert counted in service.get("/metrics").text
        until(lambda: "rush" in "".join(service.lines))
        for client in clients:
            client.close()
        until(lambda: service.figure("inkdigit_queue") == 0)
        assert httpx.post(f"{service.url}/v1/read", headers=headers).status_code == 401
