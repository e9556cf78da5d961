"""1,000 half requests, an idle and a deaf client, beside one that pings and one that listens."""
import time

from protocol import Client, expect

ANSWER_SECONDS = 2  # a busy machine included; an answer takes about 20 microseconds
HALVES = 1000

healthy = Client()
subscriber = Client()
subscriber.call("SUBSCRIBE", topics=["mfc.*"])
idle = Client()
deaf = Client()
deaf.socket.setblocking(False)
try:
    while True:
        deaf.socket.send(b'{"action": "DESCRIBE"}' * 100)
except BlockingIOError:
    pass
halves = [Client() for _ in range(HALVES)]
for client in halves:
    client.send(b'{"action": "PING", "payl')


def ended():
    return healthy.call("STATUS")["payload"]["load"]["ended"]


worst = 0
end = time.monotonic() + 20
while ended() != {"half_request": HALVES, "idle": 1, "unread_reply": 1, "memory": 0}:
    expect(f"in time: the end of all that waits; there was {ended()}", True, time.monotonic() < end)
    for client in halves[::100]:  # a byte now and then does not help
        try:
            client.send(b" ")
        except OSError:
            pass
    start = time.monotonic()
    expect("the healthy client", "pong", healthy.call("PING")["message"])
    worst = max(worst, time.monotonic() - start)
    time.sleep(0.01)
expect("each answer to the healthy client in time", True, worst < ANSWER_SECONDS)

for client in halves:
    expect("half a request", "too-slow", client.receive()["code"])
    expect("its end", None, client.receive())
expect("the reason of the idle one", "too-slow", idle.receive()["code"])
expect("the end of the idle one", None, idle.receive())
connections = healthy.call("STATUS")["payload"]["connections"]
expect("connections: the healthy one and the subscriber", 2, connections)
healthy.call("ADD_MFC", group="239.1.1.1", iif="lo", oifs=["lo"])
expect("the subscriber's event", "mfc.added", subscriber.receive()["event"])
