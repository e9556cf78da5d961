"""Three subscribers: of everything, of deletions only, and one that sleeps."""
from protocol import Client, expect

ROUNDS, BATCH = 40, 100


def subscribe(**payload):
    client = Client()
    expect("SUBSCRIBE", "success", client.call("SUBSCRIBE", **payload)["status"])
    return client


def change(client, action, group, **more):
    client.send({"action": action, "payload": dict(source="10.1.0.2", group=group, **more)})


def receive_events(client, count, first):
    events = [client.receive() for _ in range(count)]
    expect("numbers", list(range(first, first + count)), [event["seq"] for event in events])
    return events


groups = [f"239.1.1.{number}" for number in range(BATCH)]
everything, deletions, sleeper, worker = subscribe(), subscribe(topics=["*.deleted"]), \
    subscribe(topics=["mfc.*"]), Client()
for turn in range(ROUNDS):
    for group in groups:
        change(worker, "ADD_MFC", group, iif="r0", oifs=["r1"])
        change(worker, "DEL_MFC", group)
        expect("replies", ["success"] * 2, [worker.receive()["status"] for _ in range(2)])
    seen = receive_events(everything, 2 * BATCH, turn * 2 * BATCH + 1)
    expect("events", [(topic, group) for group in groups for topic in ("mfc.added", "mfc.deleted")],
           [(event["event"], event["payload"]["group"]) for event in seen])
    seen = receive_events(deletions, BATCH, turn * BATCH + 1)
    expect("deletions", groups, [event["payload"]["group"] for event in seen])

# The sleeper wakes: an event, a gap with its size, then what comes after.
seen, lost = 0, 0
while seen + lost < 2 * BATCH * ROUNDS:
    event = sleeper.receive()
    seen += event["event"] != "lost"
    lost += event["payload"]["count"] if event["event"] == "lost" else 0
expect("events seen and lost", 2 * BATCH * ROUNDS, seen + lost)
expect("events were lost at all", True, lost > 0)
number = event["seq"]
change(worker, "ADD_MFC", "239.2.2.2", iif="r0", oifs=["r1"])
expect("the event after the gap", ("mfc.added", number + 1),
       [(event["event"], event["seq"]) for event in [sleeper.receive()]][0])

# A subscriber goes on asking, and its replies come between events, never inside one.
expect("PING of a subscriber", "pong", sleeper.call("PING")["message"])
