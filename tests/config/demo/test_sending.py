"""Sending over HTTP, against a server of the test that answers what the test tells it to."""

import http.server
import json
import threading

import pytest
import standardwebhooks

from config.demo import failures, sending

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Recorder(http.server.BaseHTTPRequestHandler):
    """Keeps each request and answers with the next of ``server.answers``; None hangs up."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.requests.append(
            (self.path, {name.lower(): value for name, value in self.headers.items()}, body)
        )
        answer = self.server.answers.pop(0) if self.server.answers else receipt(len(json.loads(body)))
        if answer is None:
            self.close_connection = True
            return
        status, text, headers = answer
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(text))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *arguments):
        pass


def receipt(accepted, duplicates=0, rejected=()):
    body = {"batch": "1", "sha256": "", "accepted": accepted, "duplicates": duplicates, "rejected": rejected}
    return 200, json.dumps(body).encode(), {}


@pytest.fixture
def recorder():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Recorder)
    server.requests, server.answers = [], []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def waits(monkeypatch):
    """How long the sender would have waited before each attempt; the test does not."""
    waited = []
    monkeypatch.setattr(sending.time, "sleep", waited.append)
    return waited


def events(count):
    return [{"id": f"f.csv:{number}", "data": {}} for number in range(1, count + 1)]


def send(recorder, count, sender=None, advanced=lambda count: None):
    with sending.Server(f"http://127.0.0.1:{recorder.server_port}") as server:
        return server.send(
            sender=sender or sending.ApiKeySender(key="mb_k_s"), events=events(count), advanced=advanced
        )


class TestSend:
    def test_goes_in_batches_of_a_thousand_and_adds_up_the_receipts(self, recorder):
        recorder.answers = [receipt(1000), receipt(999, duplicates=1)]
        done = []
        sent = send(recorder, 2500, advanced=done.append)
        assert [len(json.loads(body)) for _path, _headers, body in recorder.requests] == [1000, 1000, 500]
        assert sent == sending.Sent(accepted=2499, duplicates=1)
        assert done == [1000, 1000, 500]

    def test_carries_the_key_and_says_what_the_body_is(self, recorder):
        send(recorder, 1)
        path, headers, _body = recorder.requests[0]
        assert path == "/api/v1/events/batch"
        assert headers["authorization"] == "Bearer mb_k_s"
        assert headers["content-type"] == "application/cloudevents-batch+json"

    def test_of_nothing_sends_nothing(self, recorder):
        assert send(recorder, 0) == sending.Sent(accepted=0, duplicates=0)
        assert recorder.requests == []

    def test_names_the_first_event_that_was_rejected(self, recorder):
        rejected = [{"index": 2, "id": "f.csv:3", "code": "conflict", "message": "it differs"}]
        recorder.answers = [receipt(3, rejected=rejected)]
        with pytest.raises(failures.DemoFailed, match=r"f\.csv:3: conflict, it differs"):
            send(recorder, 4)

    def test_does_not_believe_a_receipt_that_does_not_add_up(self, recorder):
        recorder.answers = [receipt(2, duplicates=1)]
        with pytest.raises(failures.DemoFailed, match="4 events were sent, but the receipt names 2 accepted"):
            send(recorder, 4)

    def test_does_not_take_a_page_for_a_receipt(self, recorder):
        recorder.answers = [(200, b"<html>It works!", {})]
        with pytest.raises(failures.DemoFailed, match="answered no receipt: <html>"):
            send(recorder, 1)


class TestRetry:
    def test_sends_the_same_batch_again_when_the_server_is_busy(self, recorder, waits):
        recorder.answers = [(503, b"{}", {"retry-after": "3"}), (429, b"{}", {})]
        assert send(recorder, 2).accepted == 2
        assert len({body for _path, _headers, body in recorder.requests}) == 1
        assert len(recorder.requests) == 3
        assert waits == [3.0, 6.0]

    def test_sends_again_when_the_connection_was_cut(self, recorder):
        recorder.answers = [None]
        assert send(recorder, 2).accepted == 2
        assert len(recorder.requests) == 2

    def test_ends_after_a_bounded_number_of_attempts(self, recorder, waits):
        recorder.answers = [(503, b'{"detail": "the database is away"}', {})] * 99
        with pytest.raises(
            failures.DemoFailed, match="in 7 attempts; the last: HTTP 503: the database is away"
        ):
            send(recorder, 1)
        assert len(recorder.requests) == 7
        assert max(waits) <= sending.RETRY_WAIT_MAX_S

    def test_ends_where_nobody_listens(self, recorder):
        recorder.shutdown()
        recorder.server_close()
        with pytest.raises(failures.DemoFailed, match="ConnectionRefusedError"):
            send(recorder, 1)

    def test_takes_a_refusal_at_its_word(self, recorder):
        recorder.answers = [(401, b'{"title": "Unauthorized", "detail": "unknown API key"}', {})]
        with pytest.raises(failures.DemoFailed, match="HTTP 401: unknown API key"):
            send(recorder, 1)
        assert len(recorder.requests) == 1


class TestWebhookSender:
    def test_signs_as_the_reference_library_verifies(self, recorder):
        sender = sending.WebhookSender(secret=SECRET, path="/webhooks/metering/helios")
        send(recorder, 3, sender=sender)
        path, headers, body = recorder.requests[0]
        assert path == "/webhooks/metering/helios"
        assert standardwebhooks.Webhook(SECRET).verify(body, headers) == events(3)

    def test_signs_the_body_and_not_another(self, recorder):
        send(recorder, 3, sender=sending.WebhookSender(secret=SECRET, path="/w"))
        _path, headers, body = recorder.requests[0]
        with pytest.raises(standardwebhooks.WebhookVerificationError):
            standardwebhooks.Webhook(SECRET).verify(body.replace(b"f.csv:1", b"f.csv:9"), headers)

    def test_keeps_the_id_of_a_message_that_is_sent_again(self, recorder):
        recorder.answers = [(503, b"{}", {})]
        send(recorder, 1, sender=sending.WebhookSender(secret=SECRET, path="/w"))
        assert len({headers["webhook-id"] for _path, headers, _body in recorder.requests}) == 1
