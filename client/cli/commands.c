/* Our own commands are rows as the action table has them (table.h). */
#include "commands.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define F(S, name, type, need, low, high, fallback, documentation)                                 \
    {#name, (enum field_type)OPTION_##type, need, 0, low, high, fallback, documentation},
#define T(type, ...) OPTION_##type = FIELD_##type,
enum { FIELD_TYPES(T) };
#undef T
#define T(NAME, name, ...) OPTION_##name = OPTION_##NAME,
enum { OPTION_TYPES(T) };
#undef T

#define OPTIONS_REPLACE(F, S)                                                                      \
    F(S, file, file, REQUIRED, 0, 0, 0,                                                            \
      "Routes and joins in the syntax of netbroker-multicast.conf(5); '-' is the standard input, " \
      "which must not be empty. Also -f.")                                                         \
    FIELD_FAMILY_FILTER(F, S)                                                                      \
    FIELD_TABLE_FILTER(F, S)                                                                       \
    F(S, dry_run, flag, OPTIONAL, 0, 0, 0,                                                         \
      "Check everything and show the difference ('+' added, '~' replaced, '-' deleted), but "      \
      "change nothing.")

#define OPTIONS_IMPORT(F, S)                                                                       \
    F(S, file, file, ARGUMENT, 0, 0, 0,                                                            \
      "The SMCRoute configuration, such as "                                                       \
      "/etc/smcroute.conf.")                                                                       \
    F(S, print, flag, OPTIONAL, 0, 0, 0,                                                           \
      "Print what would be added, in the syntax of netbroker-multicast.conf(5), without "          \
      "contacting the service.")

#define OPTIONS_TAP_EXEC(F, S)                                                                     \
    FIELDS_TAP(F, S)                                                                               \
    F(S, command, command, ARGUMENT, 0, 0, 0,                                                      \
      "The command and its arguments, behind '--'. In each of these words, {fd} becomes the "      \
      "number of the tap's descriptor (3 where it is free), {fds} those of all queues (3:4:5 of "  \
      "three), {lifeline} that of the lifeline of a tap on an uplink, {name} the name of the "     \
      "interface and {mac} its Ethernet address.")

#define OPTIONS_TAP_CREATE(F, S)                                                                   \
    FIELDS_TAP(F, S)                                                                               \
    F(S, owner, uid, OPTIONAL, 0, 0, 0,                                                            \
      "The user whose it is, by name or number, by default yourself. It counts for the user's "    \
      "share, and the user opens it by its name and closes it. Only an administrator may name "    \
      "another user.")                                                                             \
    F(S, persistent, flag, OPTIONAL, 0, 0, 0, "It is persistent in any case.")                     \
    FIELD_DRY_RUN(F, S)

/* The options of fuzziqersoftware/tapserver, and some more. */
#define OPTIONS_TAPSERVER(F, S)                                                                    \
    F(S, listen, place, REQUIRED, 0, 0, 0,                                                         \
      "Where clients connect: the path of a Unix socket, a TCP port of 127.0.0.1, or the TCP "     \
      "port of an address of this machine. May be given several times.")                           \
    F(S, use_framed_protocol, flag, OPTIONAL, 0, 0, 0,                                             \
      "Each frame follows its length, in two bytes with the low one first, as Dolphin has it. "    \
      "Without, its own headers must tell the length, so only IPv4, IPv6 and ARP can pass.")       \
    F(S, ip_address, host, OPTIONAL, 0, 0, 0,                                                      \
      "The host's address on the link, with the length of its prefix (by default 24, or 64 for "   \
      "IPv6); or 'none'. By default 172.30.0.1/24.")                                               \
    F(S, mac_address, mac, OPTIONAL, 0, 0, 0,                                                      \
      "The Ethernet address of the host's end. By default one that is made of the first "          \
      "--listen, and so always the same.")                                                         \
    F(S, mtu, number, OPTIONAL, TAP_MTU_LEAST, TAP_MTU_MAX, TAP_MTU_DEFAULT,                       \
      "The largest packet, in bytes, without its Ethernet header.")                                \
    F(S, name, interface, OPTIONAL, 0, 0, 0,                                                       \
      "The name of the interface. By default the service chooses one.")                            \
    F(S, mode, mode, OPTIONAL, 0, 0, 0,                                                            \
      "Of a Unix socket: who may connect, as chmod(1) has it in octal digits. By default 600, "    \
      "which is you alone; 660 is also the group.")                                                \
    F(S, group, owners, OPTIONAL, 0, 0, 0,                                                         \
      "Of a Unix socket: its group, by name or number; one that you are in.")                      \
    F(S, show_data, flag, OPTIONAL, 0, 0, 0, "Print each frame on standard error.")                \
    F(S, show_size_warnings, flag, OPTIONAL, 0, 0, 0,                                              \
      "Print each frame whose length its own headers do not tell right: it would not pass "        \
      "without --use-framed-protocol.")                                                            \
    F(S, metric, number, OPTIONAL, 0, 0, 0, "Has no meaning here, and is ignored.")                \
    F(S, disable_nud, flag, OPTIONAL, 0, 0, 0, "Has no meaning here, and is ignored.")             \
    F(S, enable_router_advertisements, flag, OPTIONAL, 0, 0, 0,                                    \
      "Has no meaning here, and is ignored.")                                                      \
    F(S, network_device_number, number, OPTIONAL, 0, 0, 0, "Has no meaning here, and is ignored.") \
    F(S, io_device_number, number, OPTIONAL, 0, 0, 0, "Has no meaning here, and is ignored.")      \
    F(S, ifconfig_command, text, OPTIONAL, 0, 0, 0, "Has no meaning here, and is ignored.")

#define OPTIONS_LINK_SERVE(F, S)                                                                   \
    FIELDS_TAP_PLAIN(F, S)                                                                         \
    F(S, offload, flag, OPTIONAL, 0, 0, 0,                                                         \
      "Leave checksums and segmentation of TCP to the programs at the other ends: each frame on "  \
      "the sockets is behind a header of 12 bytes (virtio_net_hdr), and may have 64 KiB. For "     \
      "another 'netbroker link serve --offload', not for QEMU; with the framings u32be and "       \
      "message.")                                                                                  \
    F(S, tap_fd, text, OPTIONAL, 0, 0, 0,                                                          \
      "The number of a tap's descriptor that this command has inherited, instead of asking the "   \
      "service for one (IFF_TAP and IFF_NO_PI; IFF_VNET_HDR with --offload, and not without).")    \
    F(S, tap_mtu, text, OPTIONAL, 0, 0, 0,                                                         \
      "The MTU of such a tap, or with --nat or --no-tap. By default 1500.")                        \
    F(S, no_tap, flag, OPTIONAL, 0, 0, 0,                                                          \
      "Without a tap: a switch between the clients alone. Neither the service nor any privilege "  \
      "is needed.")                                                                                \
    F(S, listen, where, OPTIONAL, 0, 0, 0,                                                         \
      "Serve clients there: at a path, or at PORT or ADDRESS:PORT of TCP, of 127.0.0.1 where no "  \
      "address is given. What stands behind commas is for this place alone, by the names of the "  \
      "options here: --listen /tmp/q,framing=u32be,isolate,mode=0660. A comma of the path is "     \
      "written ',,'. It may be given several times.")                                              \
    F(S, connect, where, OPTIONAL, 0, 0, 0,                                                        \
      "Connect to a program that listens there, and again whenever it goes. Options may follow, "  \
      "as those of --listen. It may be given several times.")                                      \
    F(S, fd, descriptor, OPTIONAL, 0, 0, 0,                                                        \
      "The number of a connected socket that this command has inherited. Options may follow, as "  \
      "those of --listen. It may be given several times.")                                         \
    F(S, framing, text, OPTIONAL, 0, 0, 0,                                                         \
      "How frames stand on the sockets: u16le (the default; Dolphin, tapserver), u32be (QEMU's "   \
      "stream, socket_vmnet, passt), u16be (vde_plug), message (a frame is a message; QEMU's "     \
      "dgram, User-mode Linux, slirp4netns) or unframed.")                                         \
    F(S, datagrams, flag, OPTIONAL, 0, 0, 0,                                                       \
      "Messages are datagrams (SOCK_DGRAM) instead of SOCK_SEQPACKET. With --listen, who sends "   \
      "first is the client.")                                                                      \
    F(S, local, path, OPTIONAL, 0, 0, 0,                                                           \
      "With --connect and --datagrams: the path where the other program sends to.")                \
    F(S, mode, mode, OPTIONAL, 0, 0, 0,                                                            \
      "The mode of the socket at a path, such as 0660. By default 0600: yours alone.")             \
    F(S, group, owners, OPTIONAL, 0, 0, 0, "The group of the socket at a path, one of yours.")     \
    F(S, clients, text, OPTIONAL, 0, 0, 0,                                                         \
      "How many clients there may be at a time, 1 to 255. "                                        \
      "By default 32.")                                                                            \
    F(S, isolate, flag, OPTIONAL, 0, 0, 0,                                                         \
      "Clients of the link reach the tap, and not each other.")                                    \
    F(S, anti_spoof, flag, OPTIONAL, 0, 0, 0,                                                      \
      "A client has the Ethernet address that it used first, and no other one; nobody gets "       \
      "another client's.")                                                                         \
    F(S, allow_mac, text, OPTIONAL, 0, 0, 0,                                                       \
      "The only Ethernet addresses that clients may send from, with commas between them.")         \
    F(S, macs, text, OPTIONAL, 0, 0, 0,                                                            \
      "How many Ethernet addresses a client may have. By default 64, with --anti-spoof 1.")        \
    F(S, flood_rate, text, OPTIONAL, 0, 0, 0,                                                      \
      "How many frames a second of a client may go to all others. By default any number.")         \
    F(S, nat, flag, OPTIONAL, 0, 0, 0,                                                             \
      "Instead of a tap, give the clients a way out by slirp4netns, which is started: addresses "  \
      "by DHCP, names, and connections as programs of yours have them. Neither the service nor "   \
      "any privilege is needed.")                                                                  \
    F(S, pcap, path, OPTIONAL, 0, 0, 0,                                                            \
      "Write all frames to this file, which Wireshark and tcpdump read; '-' is the standard "      \
      "output.")                                                                                   \
    F(S, stats, seconds, OPTIONAL, 0, 0, 0,                                                        \
      "Print the counters of each port every so many seconds (by default 1), and at the end.")

#define OPTIONS_CAPTURE(F, S)                                                                      \
    FIELDS_CAPTURE(F, S)                                                                           \
    F(S, filter, text, OPTIONAL, 0, 0, 0,                                                          \
      "Only frames that this expression of pcap-filter(7) selects, such as 'udp port 53'. Also "   \
      "-f. Frames are looked at as they are on the wire: those with a VLAN tag need 'vlan'.")      \
    F(S, write, path, OPTIONAL, 0, 0, 0,                                                           \
      "Write the frames to this file, in the format of pcapng; '-' is the standard output. "       \
      "Without, they are counted. Also -w.")                                                       \
    F(S, pcap, flag, OPTIONAL, 0, 0, 0, "Write pcap, with nanoseconds, instead of pcapng.")        \
    F(S, count, quantity, OPTIONAL, 0, 0, 0, "End after so many frames. Also -c.")                 \
    F(S, duration, quantity, OPTIONAL, 0, 0, 0, "End after so many seconds.")                      \
    F(S, file_bytes, quantity, OPTIONAL, 0, 0, 0,                                                  \
      "Begin another file when one has so many bytes. Files have their number and the time in "    \
      "their names.")                                                                              \
    F(S, file_seconds, quantity, OPTIONAL, 0, 0, 0, "Begin another file after so many seconds.")   \
    F(S, file_frames, quantity, OPTIONAL, 0, 0, 0, "Begin another file after so many frames.")     \
    F(S, files, quantity, OPTIONAL, 0, 0, 0,                                                       \
      "Keep so many of these files, and delete the oldest.")                                       \
    F(S, comment, text, OPTIONAL, 0, 0, 0, "A comment in the file's header.")

/* Of frames with a time. */
#define OPTIONS_TIMED(F, S)                                                                        \
    F(S, late, number, OPTIONAL, 0, INJECT_LATE_MAX, INJECT_LATE_DEFAULT,                          \
      "A frame that is late by more than so many microseconds is not sent, so that no burst "      \
      "follows a stall. With 0 each is sent, and while they are late they follow each other at "   \
      "twice the rate at most.")                                                                   \
    F(S, start, counter, OPTIONAL, 0, 0, 0,                                                        \
      "When the first frame is due, in milliseconds since 1970; by default at once.")

#define OPTIONS_SEND(F, S)                                                                         \
    F(S, interface, interface, ARGUMENT, 0, 0, 0,                                                  \
      "The interface that frames are sent out of, one of those that the service's settings name "  \
      "(inject-interfaces). Also -i.")                                                             \
    F(S, hex, text, OPTIONAL, 0, 0, 0,                                                             \
      "The frames as hexadecimal digits, a line each, from the destination address on; or a dump " \
      "of them, as of tcpdump -xx or xxd; '-' is the standard input.")                             \
    F(S, file, file, OPTIONAL, 0, 0, 0,                                                            \
      "The frames of this file: pcapng, pcap, or such text; '-' is the standard input, which is "  \
      "read where neither is given. Also -f.")                                                     \
    F(S, count, quantity, OPTIONAL, 0, 0, 0,                                                       \
      "Send so many frames, which are those of the file again and again; 0: until it is "          \
      "interrupted. By default each once. Also -c.")                                               \
    F(S, interval, quantity, OPTIONAL, 0, 0, 0,                                                    \
      "Send a frame every so many seconds, such as 0.25. By default as fast as it goes.")          \
    F(S, pps, quantity, OPTIONAL, 0, 0, 0, "Send so many frames a second.")                        \
    FIELDS_INJECT(F, S)                                                                            \
    OPTIONS_TIMED(F, S)

#define OPTIONS_REPLAY(F, S)                                                                       \
    F(S, interface, interface, ARGUMENT, 0, 0, 0,                                                  \
      "The interface that frames are sent out of, one of those that the service's settings name "  \
      "(inject-interfaces). Also -i.")                                                             \
    F(S, file, path, ARGUMENT, 0, 0, 0,                                                            \
      "The file whose frames are sent: pcapng or pcap, or text as 'send' has it; '-' is the "      \
      "standard input.")                                                                           \
    F(S, speed, quantity, OPTIONAL, 0, 0, 0,                                                       \
      "So many times as fast as the frames were captured, such as 2 or 0.5. By default 1.")        \
    F(S, pps, quantity, OPTIONAL, 0, 0, 0,                                                         \
      "Send so many frames a second, whatever their times are.")                                   \
    F(S, topspeed, flag, OPTIONAL, 0, 0, 0, "Send as fast as it goes.")                            \
    F(S, loop, quantity, OPTIONAL, 0, 0, 0,                                                        \
      "Send the file so many times; 0: until it is interrupted. Between the last frame and the "   \
      "first one is the mean of the time between frames.")                                         \
    F(S, limit, quantity, OPTIONAL, 0, 0, 0, "End after so many frames.")                          \
    F(S, delay, quantity, OPTIONAL, 0, 0, 0,                                                       \
      "Send each frame so many seconds later, such as 0.5: for a file that comes as a stream, "    \
      "whose frames would be late else.")                                                          \
    F(S, catch_up, flag, OPTIONAL, 0, 0, 0, "Send frames however late they are: --late 0.")        \
    FIELDS_INJECT(F, S)                                                                            \
    OPTIONS_TIMED(F, S)

/* Of what listens to frames, instead of those of FIELDS_CAPTURE: the EtherType is the command's. */
#define OPTIONS_SUBSCRIBE(F, S)                                                                    \
    F(S, interface, interface, OPTIONAL_ARGUMENT, 0, 0, 0,                                         \
      "The interface, one of those that the service's settings name (capture-interfaces).")        \
    F(S, file, path, OPTIONAL, 0, 0, 0,                                                            \
      "Read a capture file instead, pcapng or pcap; '-' is the standard input. The service is "    \
      "not asked.")                                                                                \
    F(S, direction, direction, OPTIONAL, 0, 0, 0,                                                  \
      "Only frames that this host receives (in) or sends (out); by default both, which the "       \
      "policy must allow.")                                                                        \
    F(S, promiscuous, flag, OPTIONAL, 0, 0, 0,                                                     \
      "Have the interface receive also frames to other stations, such as groups that nobody "      \
      "here has joined.")                                                                          \
    F(S, count, text, OPTIONAL, 0, 0, 0, "End after so many frames. Also -c.")                     \
    F(S, duration, text, OPTIONAL, 0, 0, 0, "End after so many seconds.")

#define OPTIONS_SV_SUBSCRIBE(F, S)                                                                 \
    OPTIONS_SUBSCRIBE(F, S)                                                                        \
    F(S, interval, text, OPTIONAL, 0, 0, 0,                                                        \
      "Report each stream every so many seconds, by default 1; or each 'cycle'.")                  \
    F(S, harmonics, flag, OPTIONAL, 0, 0, 0,                                                       \
      "With --json: also the harmonics of each channel, to the 50th.")                             \
    F(S, waveforms, flag, OPTIONAL, 0, 0, 0,                                                       \
      "With --json: also the samples since the last report, at most the newest 2048.")             \
    F(S, channels, text, OPTIONAL, 0, 0, 0,                                                        \
      "How many currents (steps of 1 mA) and voltages (of 10 mV) a sample has, such as I4U4, "     \
      "which is the default where there are eight channels.")                                      \
    F(S, sample_rate, text, OPTIONAL, 0, 0, 0,                                                     \
      "Samples a second. By default what the stream says, or what is found.")                      \
    F(S, frequency, text, OPTIONAL, 0, 0, 0,                                                       \
      "The nominal frequency in Hz that angles are told against; by default the nearer one of 50 " \
      "and 60.")

#define OPTIONS_GOOSE_SUBSCRIBE(F, S)                                                              \
    OPTIONS_SUBSCRIBE(F, S)                                                                        \
    F(S, changes, flag, OPTIONAL, 0, 0, 0, "Leave out what is only sent again.")                   \
    F(S, types, flag, OPTIONAL, 0, 0, 0,                                                           \
      "With --json: each value as an object with its type, times with what their clock says of "   \
      "itself.")

/* The rest is in the requests. */
#define OPTIONS_SV_RUN(F, S)                                                                       \
    F(S, interface, interface, ARGUMENT, 0, 0, 0,                                                  \
      "The interface that streams are published on, one of those that the service's settings "     \
      "name (inject-interfaces). Also -i.")                                                        \
    F(S, file, file, OPTIONAL_ARGUMENT, 0, 0, 0,                                                   \
      "The requests, a line each; by default, or with '-', those of the standard input.")          \
    F(S, late, number, OPTIONAL, 0, INJECT_LATE_MAX, INJECT_LATE_DEFAULT,                          \
      "A frame that is late by more than so many microseconds is not sent, so that no burst "      \
      "follows a stall. With 0 each is sent, and while they are late they follow each other at "   \
      "twice the rate at most.")

/* Of what publishes frames of IEC 61850. */
#define OPTIONS_PUBLISH(F, S)                                                                      \
    F(S, interface, interface, ARGUMENT, 0, 0, 0,                                                  \
      "The interface that frames are sent out of, one of those that the service's settings name "  \
      "(inject-interfaces). Also -i.")                                                             \
    F(S, app_id, text, OPTIONAL, 0, 0, 0,                                                          \
      "The APPID, such as 0x4000, which is that of 'sv publish' by default; that of 'goose "       \
      "publish' is 0x0001.")                                                                       \
    F(S, destination, text, OPTIONAL, 0, 0, 0,                                                     \
      "The Ethernet address that frames go to. By default 01:0c:cd:04:00:01, and of GOOSE "        \
      "01:0c:cd:01:00:01.")                                                                        \
    F(S, source, text, OPTIONAL, 0, 0, 0,                                                          \
      "The Ethernet address that they come from. By default the interface's own.")                 \
    F(S, vlan, text, OPTIONAL, 0, 0, 0,                                                            \
      "The number of the VLAN, 0 to 4094. By default frames have no tag.")                         \
    F(S, vlan_priority, text, OPTIONAL, 0, 0, 0,                                                   \
      "The priority in the tag, 0 to 7; by default 4. Without --vlan, the tag is of VLAN 0.")      \
    F(S, conf_rev, text, OPTIONAL, 0, 0, 0, "confRev: by default 1.")                              \
    F(S, simulation, flag, OPTIONAL, 0, 0, 0,                                                      \
      "Say that the frames come from a test set: the S bit, and of GOOSE also 'simulation'.")      \
    F(S, duration, text, OPTIONAL, 0, 0, 0,                                                        \
      "End after so many seconds, such as 2.5. By default when it is interrupted.")                \
    F(S, late, number, OPTIONAL, 0, INJECT_LATE_MAX, INJECT_LATE_DEFAULT,                          \
      "A frame that is late by more than so many microseconds is not sent, so that no burst "      \
      "follows a stall. With 0 each is sent, and while they are late they follow each other at "   \
      "twice the rate at most.")

#define OPTIONS_SV_PUBLISH(F, S)                                                                   \
    OPTIONS_PUBLISH(F, S)                                                                          \
    F(S, start, counter, OPTIONAL, 0, 0, 0,                                                        \
      "When the first sample is due, in milliseconds since 1970: a full second. By default the "   \
      "next one.")                                                                                 \
    F(S, count, text, OPTIONAL, 0, 0, 0, "End after so many frames. Also -c.")                     \
    F(S, sv_id, text, OPTIONAL, 0, 0, 0, "svID: by default NETBROKER01.")                          \
    F(S, dat_set, text, OPTIONAL, 0, 0, 0, "datSet: by default there is none.")                    \
    F(S, frequency, text, OPTIONAL, 0, 0, 0, "The nominal frequency in Hz: by default 50.")        \
    F(S, signal_frequency, text, OPTIONAL, 0, 0, 0,                                                \
      "The frequency of what is generated, where that is off the nominal one, such as 49.95.")     \
    F(S, sample_rate, text, OPTIONAL, 0, 0, 0,                                                     \
      "Samples a second: by default 80 in a cycle of the nominal frequency.")                      \
    F(S, asdus, text, OPTIONAL, 0, 0, 0,                                                           \
      "Samples in a frame. By default as the profiles have it: 8 of 12800 and 15360 Hz, 6 of "     \
      "14400 Hz, else 1.")                                                                         \
    F(S, smp_synch, synch, OPTIONAL, 0, 0, 0,                                                      \
      "smpSynch: none (the default), local, global, or a number from 0 to 254; auto: by what the " \
      "system says of its clock, each second. Another one from a time on: 2.5:none. May be given " \
      "several times.")                                                                            \
    F(S, refr_tm, flag, OPTIONAL, 0, 0, 0, "With refrTm: the time of each sample.")                \
    F(S, smp_mod, text, OPTIONAL, 0, 0, 0,                                                         \
      "With smpMod, what smpRate counts: period (samples of one), second or interval (seconds "    \
      "of a sample), or a number; and with smpRate.")                                              \
    F(S, smp_rate, text, OPTIONAL, 0, 0, 0,                                                        \
      "With smpRate: a number, or auto, which is that of the stream.")                             \
    F(S, gm_identity, text, OPTIONAL, 0, 0, 0,                                                     \
      "With gmIdentity, that of the PTP clock: 16 hexadecimal digits.")                            \
    F(S, quality, quality, OPTIONAL, 0, 0, 0,                                                      \
      "The quality of all channels, or of one: good, invalid, questionable, test, overflow and "   \
      "others, or a number. May be given several times.")                                          \
    F(S, currents, phasor, OPTIONAL, 0, 0, 0,                                                      \
      "The currents in A (root mean square), and the angle of phase a in degrees: balanced, or "   \
      "of one phase (a=, b=, c=, n=). By default 100 A at 0 degrees, and of n the sum of the "     \
      "others. May be given several times.")                                                       \
    F(S, voltages, phasor, OPTIONAL, 0, 0, 0,                                                      \
      "The voltages in V, likewise. By default 63508.5 V at 0 degrees (110 kV between phases).")   \
    F(S, harmonics, harmonic, OPTIONAL, 0, 0, 0,                                                   \
      "A harmonic of all channels, or of some (I=, V=, Ia=): its order from 2 to 50, its share "   \
      "of the fundamental in percent, and its angle. May be given several times.")                 \
    F(S, fault_at, text, OPTIONAL, 0, 0, 0, "A fault begins after so many seconds.")               \
    F(S, fault_duration, text, OPTIONAL, 0, 0, 0, "It lasts so long; by default to the end.")      \
    F(S, fault_currents, phasor, OPTIONAL, 0, 0, 0, "The currents in the fault, as --currents.")   \
    F(S, fault_voltages, phasor, OPTIONAL, 0, 0, 0, "The voltages in the fault.")                  \
    F(S, fault_quality, quality, OPTIONAL, 0, 0, 0, "The quality in the fault, as --quality.")     \
    F(S, drop, flaw, OPTIONAL, 0, 0, 0,                                                            \
      "To try receivers, leave out so many frames from a time on (3@2.5), or of each so many "     \
      "(1/100). May be given several times.")                                                      \
    F(S, duplicate, flaw, OPTIONAL, 0, 0, 0, "Likewise, send frames twice.")                       \
    F(S, comtrade, path, OPTIONAL, 0, 0, 0,                                                        \
      "Publish this recording instead, a .cfg file beside its .dat, or a .cff file, interpolated " \
      "to the sample rate.")                                                                       \
    F(S, channels, channels, OPTIONAL, 0, 0, 0,                                                    \
      "How many currents and voltages a sample has, by default I4U4. And which analog channels "   \
      "of a recording these are: names or numbers, or '-' for none, with commas; by default its "  \
      "currents and voltages in their order.")                                                     \
    F(S, loop, flag, OPTIONAL, 0, 0, 0, "Publish the recording again and again.")

#define OPTIONS_GOOSE_PUBLISH(F, S)                                                                \
    OPTIONS_PUBLISH(F, S)                                                                          \
    F(S, count, text, OPTIONAL, 0, 0, 0, "End after so many messages. Also -c.")                   \
    F(S, gocb_ref, text, OPTIONAL, 0, 0, 0, "gocbRef: by default NETBROKER01LD0/LLN0$GO$gcb01.")   \
    F(S, dat_set, text, OPTIONAL, 0, 0, 0, "datSet: by default NETBROKER01LD0/LLN0$dataset01.")    \
    F(S, go_id, text, OPTIONAL, 0, 0, 0, "goID: by default as gocbRef.")                           \
    F(S, value, datum, OPTIONAL, 0, 0, 0,                                                          \
      "A member of the data set, in their order: bool:true, int:-5, uint:5, float:1.5, "           \
      "double:1.5, bits:0110, octets:00ff, string:TEXT, utf8:TEXT or time:now; a structure "       \
      "'{bool:true,bits:01}' or an array '[int:1,int:2]' of them, in quotes for the shell. May "   \
      "be given several times. By default bool:false.")                                            \
    F(S, change, change, OPTIONAL, 0, 0, 0,                                                        \
      "After so many seconds, give a member, counted from 1, another value: 2.5:1=true, or of a "  \
      "structure 2.5:3.1=true. May be given several times, in the order of time.")                 \
    F(S, shortest, text, OPTIONAL, 0, 0, 0,                                                        \
      "Behind a change, send the message again after so many milliseconds, and then after gaps "   \
      "that double: by default 4.")                                                                \
    F(S, longest, text, OPTIONAL, 0, 0, 0, "The longest gap in milliseconds: by default 1000.")    \
    F(S, life, text, OPTIONAL, 0, 0, 0,                                                            \
      "timeAllowedToLive in gaps to the next message: by default 2.")                              \
    F(S, st_num, text, OPTIONAL, 0, 0, 0, "The first stNum: by default 1.")                        \
    F(S, nds_com, flag, OPTIONAL, 0, 0, 0, "ndsCom: the control block needs commissioning.")

/* C(NAME, options, the action whose fields are among them, policy verb, the action of the same
 * family that it is listed behind, command line, documentation) */
#define COMMANDS(C)                                                                                \
    C(REPLACE, replace, "BEGIN_REPLACE", "mroute.write", FLUSH_MFC, "mfc replace",                 \
      "Replace all of your multicast routes with those of a file, in one step. Routes that "       \
      "stay the same lose no packet, and a file with a mistake changes nothing. The joins "        \
      "of the file are added.")                                                                    \
    C(IMPORT, import, "ADD_MFC", "mroute.write", FLUSH_MFC, "mfc import",                          \
      "Add the routes and joins of an SMCRoute configuration. Lines that cannot be taken "         \
      "over are reported on standard error.")                                                      \
    C(TAP_EXEC, tap_exec, "OPEN_TAP", "tap.write", SHOW_TAP, "tap exec",                           \
      "Open a tap and run a command that has its descriptor. The tap lasts as long as the "        \
      "command, or whatever it leaves the descriptor to.")                                         \
    C(TAP_CREATE, tap_create, "OPEN_TAP", "tap.write", SHOW_TAP, "tap create",                     \
      "Make a persistent tap, for a program that opens one by its name. It lasts until 'tap "      \
      "close', also over a reboot, and nobody but its owner can open it.")                         \
    C(TAPSERVER, tapserver, "OPEN_TAP", "tap.write", SHOW_TAP, "tapserver",                        \
      "Serve a tap to emulators such as Dolphin: an Ethernet link to this host, over a socket. "   \
      "It takes the options of fuzziqersoftware/tapserver, needs no privileges, serves several "   \
      "clients at once, and goes on when one leaves.")                                             \
    C(LINK_SERVE, link_serve, "OPEN_TAP", "tap.write", SHOW_TAP, "link serve",                     \
      "Open a tap and carry its frames to and from sockets of emulators and virtual machines. "    \
      "The relay is this process: it goes on while the service is restarted.")                     \
    C(CAPTURE, capture, "OPEN_CAPTURE", "raw.capture", SHOW_CAPTURE, "capture",                    \
      "Capture the frames of an interface to a file, for Wireshark, tcpdump and others. SIGINT "   \
      "and SIGTERM end it; counters of lost frames are in the file.")                              \
    C(SEND, send, "OPEN_INJECT", "raw.inject", SHOW_INJECT, "send",                                \
      "Send frames on an interface, from text or a file. It asks for the right to send what is "   \
      "in them, and no more, where that is known before. The exit status is 0 where all were "     \
      "sent.")                                                                                     \
    C(REPLAY, replay, "OPEN_INJECT", "raw.inject", SHOW_INJECT, "replay",                          \
      "Send the frames of a capture file at their times: the service keeps to them, and tells "    \
      "how late each was. The exit status is 0 where all were sent.")                              \
    C(SV_SUBSCRIBE, sv_subscribe, "OPEN_CAPTURE", "raw.capture", SHOW_CAPTURE, "sv subscribe",     \
      "Decode the Sampled Values of IEC 61850 on an interface, or in a capture file: streams, "    \
      "lost and repeated samples, jitter, frequency and phasors.")                                 \
    C(GOOSE_SUBSCRIBE, goose_subscribe, "OPEN_CAPTURE", "raw.capture", SHOW_CAPTURE,               \
      "goose subscribe",                                                                           \
      "Decode the GOOSE messages of IEC 61850 on an interface, or in a capture file: new states, " \
      "repetitions, lost messages, and publishers that fall silent.")                              \
    C(SV_PUBLISH, sv_publish, "OPEN_INJECT", "raw.inject", SHOW_INJECT, "sv publish",              \
      "Publish Sampled Values of IEC 61850-9-2 on an interface, of a network that is generated "   \
      "or a recording. The service sends each frame at its time, and tells how late it was. The "  \
      "exit status is 0 where all were sent.")                                                     \
    C(SV_RUN, sv_run, "OPEN_INJECT", "raw.inject", SHOW_INJECT, "sv run",                          \
      "Run a test set: many streams of Sampled Values, created, changed, started and stopped by "  \
      "requests, which are lines of JSON, and sequences of states that end by time or by a GOOSE " \
      "trip. The exit status is 0 where all that was asked for was done.")                         \
    C(GOOSE_PUBLISH, goose_publish, "OPEN_INJECT", "raw.inject", SHOW_INJECT, "goose publish",     \
      "Publish GOOSE messages of IEC 61850-8-1 on an interface. A line of standard input, such "   \
      "as '1=true', changes the state.")

#define C(NAME, options, action, policy, after, words, documentation)                              \
    static const struct field options_##options[] = {OPTIONS_##NAME(F, )};
COMMANDS(C)
#undef C

/* O(NAME, function): actions that have an option of our own. */
#define WATCHED(O)                                                                                 \
    O(SHOW_MFC, show_mfc)                                                                          \
    O(SHOW_VIF, show_vif)                                                                          \
    O(SHOW_TAP, show_tap)                                                                          \
    O(GET_TAP, get_tap)                                                                            \
    O(SHOW_LINK, show_link)

#define OPTION_WATCH(F, S)                                                                         \
    F(S, watch, seconds, OPTIONAL, 0, 0, 0,                                                        \
      "Repeat the list every so many seconds (by default 1), with the growth of each "             \
      "counter per second.")

#define O(NAME, function)                                                                          \
    static const struct field watched_##function[] = {FIELDS_##NAME(F, ) OPTION_WATCH(F, )};
WATCHED(O)
#undef O
#undef F

static const struct {
    enum action action;
    const struct field *fields;
    size_t count;
} watched[] = {
#define O(NAME, function)                                                                          \
    {ACTION_##NAME, watched_##function, sizeof watched_##function / sizeof(struct field)},
    WATCHED(O)
#undef O
};

/* The action's row, with our own options where it has any. */
static const struct action_row *command_row(enum action action)
{
    static struct action_row rows[sizeof watched / sizeof *watched];

    for (size_t i = 0; i < sizeof watched / sizeof *watched; i++)
        if (watched[i].action == action) {
            rows[i] = *action_row(action);
            rows[i].fields = watched[i].fields;
            rows[i].field_count = watched[i].count;
            return &rows[i];
        }
    return action_row(action);
}

static const struct {
    enum action after;
    struct action_row row;
} own_rows[] = {
#define C(NAME, options, action, policy, after, words, documentation)                              \
    [OWN_##NAME] = {ACTION_##after,                                                                \
                    {action, 0, policy, words, "", "", documentation, options_##options,           \
                     sizeof options_##options / sizeof(struct field)}},
    COMMANDS(C)
#undef C
};
_Static_assert(sizeof own_rows / sizeof *own_rows == OWN_COUNT, "each command has its row");

struct command command_at(size_t index)
{
    for (enum action action = 0; action < ACTION_COUNT; action++) {
        if (action_row(action)->cli[0] && index-- == 0)
            return (struct command){command_row(action), action, OWN_COUNT};
        for (enum own_command own = 0; own < OWN_COUNT; own++)
            if (own_rows[own].after == action && index-- == 0)
                return (struct command){&own_rows[own].row, ACTION_COUNT, own};
    }
    return (struct command){NULL, ACTION_COUNT, OWN_COUNT};
}

/* By the number of the type behind those of fields. */
static const struct {
    const char *name, *metavariable;
    bool repeats;
} types[] = {
#define T(NAME, name, metavariable, repeats) {#name, metavariable, repeats},
    OPTION_TYPES(T)
#undef T
};

static bool is_of_field(const struct field *option)
{
    return (int)option->type < FIELD_TYPE_COUNT;
}

const char *option_type_name(const struct field *option)
{
    return is_of_field(option) ? type_row(option->type)->name
                               : types[(int)option->type - FIELD_TYPE_COUNT].name;
}

const char *option_metavariable(const struct field *option)
{
    return is_of_field(option) ? type_row(option->type)->metavariable
                               : types[(int)option->type - FIELD_TYPE_COUNT].metavariable;
}

bool option_has_default(const struct field *option)
{
    return option->fallback && is_of_field(option) && type_row(option->type)->json == JSON_INTEGER;
}

bool option_repeats(const struct field *option)
{
    return !is_of_field(option) && types[(int)option->type - FIELD_TYPE_COUNT].repeats;
}

bool option_is_argument(const struct field *option)
{
    return option->need == ARGUMENT || option->need == OPTIONAL_ARGUMENT;
}

bool option_is_command(const struct field *option)
{
    return (int)option->type == OPTION_COMMAND;
}

const char *argument_name(const struct field *option, char *text, size_t size)
{
    snprintf(text, size, "%s", option->name);
    for (char *c = text; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    return text;
}

/* Options that have other names than the fields which they become. */
static const struct {
    const char *command, *option, *field;
} renamed[] = {
    {"tapserver", "ip_address", "hosts"},
    {"tapserver", "mac_address", "mac"},
};

const char *option_field(const struct action_row *row, const struct field *option)
{
    for (size_t i = 0; i < sizeof renamed / sizeof *renamed; i++)
        if (strcmp(renamed[i].command, row->cli) == 0 &&
            strcmp(renamed[i].option, option->name) == 0)
            return renamed[i].field;
    return option->name;
}

/* A program gives a user by number and knows connections and DESCRIBE; a person has other words. */
static const struct {
    const char *command, *option; /* command NULL: of any */
    const char *documentation;
} worded[] = {
    {"policy check", "user",
     "The user to ask about, by name or number, with the groups that this machine knows; by "
     "default yourself."},
    {"tap open", "owner",
     "Of a persistent tap: the user whose it is, by name or number; see 'tap create'."},
    {"policy check", "verb",
     "The verb, such as mroute.write; netbroker-policy(5) lists all verbs."},
    {"policy check", "interfaces",
     "The interfaces of the request, separated by commas: eth0,eth1."},
    {NULL, "while_connected",
     "Hold it only as long as this command runs, which is until it is interrupted."},
    {"mfc add", "oifs",
     "The outgoing interfaces, separated by commas: eth1,eth2; or patterns such as eth+. If "
     "there is a source, the list may be empty (--oifs \"\"): such a route stops its flow."},
    {"mfc add", "ttls",
     "IPv4: a TTL threshold for each outgoing interface, in the order of --oifs. Only packets "
     "with a greater TTL leave by it. By default 1 for each."},
};

const char *option_documentation(const struct action_row *row, const struct field *option)
{
    for (size_t i = 0; i < sizeof worded / sizeof *worded; i++)
        if ((!worded[i].command || strcmp(worded[i].command, row->cli) == 0) &&
            strcmp(worded[i].option, option->name) == 0)
            return worded[i].documentation;
    return option->documentation;
}
