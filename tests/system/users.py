"""Every action for every user, and whose rights a connection has.

    users.py agree           the actions are those that the service describes (as root)
    users.py matrix USER     this user asks for each of them
    users.py identity        connections whose ends change hands (as root)
    users.py listed ACTION KEY   whose what there is is, as this user sees it
"""
import os
import socket
import sys

from protocol import Client, call, expect

USERS = ["root", "member", "operator", "stranger"]
OPERATOR, STRANGER = 3002, 3003
ROUTE = {"group": "239.1.1.1", "iif": "r0", "oifs": ["r1"]}

# What each of the users may do: yes or no.
EXPECTED = {
    "ADD_MFC": ("ynyn", ROUTE),
    # Of what is not there: whoever may look is told so.
    "DEL_MFC": ("yyyn", {"group": "239.1.1.1"}),
    "FLUSH_MFC": ("ynyn", {"dry_run": True}),
    "BEGIN_REPLACE": ("ynyn", {}),
    "COMMIT": ("ynyn", {}),
    "ABORT": ("ynyn", {}),
    "SHOW_MFC": ("yynn", {}),
    "SHOW_VIF": ("yynn", {}),
    "SHOW": ("yynn", {}),
    "ADD_JOIN": ("ynyn", {"group": "239.1.1.1", "iif": "r0"}),
    "DEL_JOIN": ("yyyn", {"group": "239.1.1.1", "iif": "r0"}),
    "SHOW_JOIN": ("yynn", {}),
    "OPEN_TAP": ("ynnn", {"dry_run": True}),
    "CLOSE_TAP": ("yynn", {"name": "nb-none"}),
    "SHOW_TAP": ("yynn", {}),
    "GET_TAP": ("yynn", {"name": "nb-none"}),
    "TELL_LINK": ("ynnn", {"tap": "nb-none", "port": 1}),
    "SHOW_LINK": ("yynn", {}),
    "OPEN_CAPTURE": ("ynnn", {"interface": "r0", "dry_run": True}),
    "CLOSE_CAPTURE": ("yynn", {"capture": 1}),
    "SHOW_CAPTURE": ("yynn", {}),
    "SHOW_CAPTURE_INTERFACES": ("ynnn", {}),
    "OPEN_INJECT": ("ynnn", {"interface": "r0", "dry_run": True}),
    "CLOSE_INJECT": ("yynn", {"inject": 1}),
    "SHOW_INJECT": ("yynn", {}),
    "DIAGNOSE": ("yynn", {}),
    "DIAGNOSE_TAP": ("yynn", {"name": "nb-none"}),
    "SUBSCRIBE": ("yynn", {"topics": ["lost"]}),
    "LEASES": ("yynn", {}),
    "REVOKE": ("ynnn", {"lease": "000000000001"}),
    "CHECK_POLICY": ("yynn", {"verb": "mroute.write"}),
    "STATUS": ("yynn", {}),
    "METRICS": ("yynn", {"routes": True}),
    "PING": ("yynn", {}),
    "DESCRIBE": ("yynn", {}),
}


def described_actions(schema):
    """The constants of the property `action`, wherever the schema has them."""
    if isinstance(schema, list):
        return {name for part in schema for name in described_actions(part)}
    if not isinstance(schema, dict):
        return set()
    action = schema.get("properties", {}).get("action", {})
    return ({action["const"]} if "const" in action else set()) | {
        name for part in schema.values() for name in described_actions(part)}


def check_agreement():
    expect("the actions", sorted(EXPECTED),
           sorted(described_actions(call("DESCRIBE")["payload"])))


def is_allowed(reply):
    return "y" if reply.get("code") != "not-allowed" else "n"


def check_matrix(user):
    for action, (allowed, payload) in EXPECTED.items():
        reply = call(action, **payload)
        expect(f"{action} by {user}", allowed[USERS.index(user)], is_allowed(reply))


def connect_as(uid):
    """A connection that this user made, in the hands of root."""
    os.setegid(uid)
    os.seteuid(uid)
    client = Client()
    os.seteuid(0)
    os.setegid(0)
    return client


def ask_with_credentials(client):
    """Root says in the message who it is; nobody is to listen."""
    credentials = socket.SCM_CREDENTIALS, os.getpid().to_bytes(4, "little") + bytes(8)
    client.socket.sendmsg([b'{"action": "FLUSH_MFC"}'],
                          [(socket.SOL_SOCKET, credentials[0], credentials[1])])
    return client.receive()


def ask_when_alone(client, connector_ended, result):
    os.read(connector_ended, 1)
    allowed = is_allowed(client.call("ADD_MFC", **ROUTE))
    os.write(result, (allowed + is_allowed(client.call("FLUSH_MFC", all=True))).encode())
    os._exit(0)


def check_child():
    """The process that connected is gone when its child asks."""
    connector_ended, connector_lives = os.pipe()
    answer, result = os.pipe()
    if os.fork() == 0:
        client = connect_as(OPERATOR)
        if os.fork() == 0:
            os.close(connector_lives)
            ask_when_alone(client, connector_ended, result)
        os._exit(0)
    os.close(connector_lives)
    os.close(result)
    expect("what an operator's child may do", b"yn", os.read(answer, 2))


def check_identity():
    stranger = connect_as(STRANGER)
    expect("root on a stranger's connection", "n", is_allowed(stranger.call("FLUSH_MFC")))
    expect("root with credentials on it", "n", is_allowed(ask_with_credentials(stranger)))
    check_child()
    leases = call("LEASES")["payload"]["leases"]
    expect("the owner of the child's route", [OPERATOR], [lease["uid"] for lease in leases])
    root = Client()
    os.seteuid(STRANGER)
    expect("a stranger on root's connection", "y",
           is_allowed(root.call("FLUSH_MFC", all=True)))


if sys.argv[1] == "agree":
    check_agreement()
elif sys.argv[1] == "listed":
    print(*[item["uid"] for item in call(sys.argv[2])["payload"][sys.argv[3]]])
elif sys.argv[1] == "matrix":
    check_matrix(sys.argv[2])
else:
    check_identity()
