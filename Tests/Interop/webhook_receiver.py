"""A receiver of webhooks that fails half of the time: argv is its port, the file it writes what it took to, and the secret.

A line for each webhook that it took: its identifier and its body, both verified by the library of Standard Webhooks."""

from __future__ import annotations

import json
import random
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock

from standardwebhooks import Webhook, WebhookVerificationError

PORT, FILE, SECRET = int(sys.argv[1]), sys.argv[2], sys.argv[3]
CHANCE, LOCK = random.Random(1), Lock()


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        with LOCK:
            fails = CHANCE.random() < 0.5
            status = 500 if fails else 204
            if not fails:
                try:
                    Webhook(SECRET).verify(body, dict(self.headers))
                except WebhookVerificationError:
                    status = 400
            with open(FILE, "a") as file:
                note = {"id": self.headers["webhook-id"], "status": status, "body": body.decode()}
                file.write(json.dumps(note) + "\n")
        self.send_response(status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
