"""A relay that lies to the service.

    lying.py TAP      TAP: one of this user's
"""
import sys

from protocol import Client, expect

own = sys.argv[1]
client = Client()
MOST = 999999999999999


def tell(**fields):
    reply = client.call("TELL_LINK", **{"tap": own, "port": 1, **fields})
    return reply.get("code") or reply["status"]


expect("a tap that is not there", "not-found", tell(tap="nb-none"))
expect("an interface that is no tap", "not-found", tell(tap="lo"))
expect("control characters", "out-of-range", tell(name="\033[2J"))
expect("a long name", "out-of-range", tell(name="x" * 128))
expect("a negative counter", "out-of-range", tell(rx_frames=-1))
expect("a counter of 64 bits", "invalid-json", tell(rx_frames=2**64 - 1))
counters = {key: MOST for key in ("since", "rx_frames", "rx_bytes", "rx_refused", "tx_frames",
                                  "tx_bytes", "tx_dropped", "pending")}
for port in range(1, 256):
    code = tell(port=port, name="\u202e" + "\U0001f42c" * 30, pid=2**31 - 1, uid=0, **counters)
    expect(f"port {port}", "success" if port <= 32 else "limit", code)
for number in range(1000):  # coming and going
    expect("another", "success", tell(port=1, since=number, **{"tx_dropped": number}))
