#!/usr/bin/env python3
"""A guest of the network tests.

serve DIR PORT…      echoes TCP and UDP on the ports, raw protocols 47 and 50; each thing that comes in is a line
                     of DIR/seen; DIR/ready is made when it listens
tcp ADDRESS PORT     connects, and hears its echo
udp ADDRESS PORT     sends, and hears its echo
raw ADDRESS PROTOCOL sends, and hears the echo
hold ADDRESS PORT    connects, prints "connected"; then sends each line of input, prints the echo or "silence"
flood ADDRESS PORT SECONDS   sends UDP all the time, hears nothing
stream ADDRESS PORT SECONDS  sends numbered UDP every 2 ms, prints how many echoes did not come in 3 s more
forge MAC FROM TO PORT       sends one UDP packet to the router's MAC with these sources, out of eth0
arp MAC FROM WHO             asks who has WHO with these sources, out of eth0
"""
import os
import select
import socket
import struct
import sys
import threading
import time

WAIT = 0.4
SO_RCVBUFFORCE = 33


def serve(directory, *ports):
    seen = open(os.path.join(directory, "seen"), "a", buffering=1)
    tcp, udp, raw = {}, {}, {}
    for port in map(int, ports):
        s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("", port))
        s.listen(64)
        tcp[s] = port
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind(("", port))
        s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 22)
        udp[s] = port
    for protocol in (47, 50):
        raw[socket.socket(socket.AF_INET, socket.SOCK_RAW, protocol)] = protocol

    def echo(connection):
        while True:
            try:
                data = connection.recv(4096)
                if not data:
                    break
                connection.sendall(data)
            except OSError:
                break
        connection.close()

    open(os.path.join(directory, "ready"), "w").close()
    while True:
        for s in select.select(list(tcp) + list(udp) + list(raw), [], [])[0]:
            if s in tcp:
                connection, peer = s.accept()
                seen.write("tcp %d from %s\n" % (tcp[s], peer[0]))
                threading.Thread(target=echo, args=(connection,), daemon=True).start()
            elif s in udp:
                data, peer = s.recvfrom(4096)
                seen.write("udp %d from %s\n" % (udp[s], peer[0]))
                s.sendto(data, peer)
            else:
                data, peer = s.recvfrom(4096)
                data = data[20:]
                if data.startswith(b"answer"):
                    continue
                seen.write("protocol %d from %s\n" % (raw[s], peer[0]))
                s.sendto(b"answer" + data, peer)


def tcp(address, port):
    s = socket.create_connection((address, int(port)), timeout=WAIT)
    s.sendall(b"hello")
    assert s.recv(100) == b"hello"


def udp(address, port):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(WAIT)
    s.sendto(b"hello", (address, int(port)))
    assert s.recv(100) == b"hello"


def raw(address, protocol):
    s = socket.socket(socket.AF_INET, socket.SOCK_RAW, int(protocol))
    s.settimeout(WAIT)
    s.sendto(b"hello", (address, 0))
    while not s.recv(100)[20:].startswith(b"answer"):
        pass


def hold(address, port):
    s = socket.create_connection((address, int(port)), timeout=WAIT)
    print("connected", flush=True)
    for line in sys.stdin:
        s.sendall(line.encode())
        try:
            print(s.recv(4096).decode().strip(), flush=True)
        except OSError:
            print("silence", flush=True)


def flood(address, port, seconds):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    end = time.monotonic() + float(seconds)
    while time.monotonic() < end:
        for _ in range(4):
            try:
                s.sendto(b"in", (address, int(port)))
            except OSError:
                pass
        time.sleep(0.001)


def stream(address, port, seconds):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 22)
    s.setblocking(False)
    sent, heard, end = 0, set(), time.monotonic() + float(seconds)
    while time.monotonic() < end or (len(heard) < sent and time.monotonic() < end + 3):
        if time.monotonic() < end:
            s.sendto(b"%d" % sent, (address, int(port)))
            sent += 1
        time.sleep(0.002)
        try:
            while True:
                heard.add(int(s.recv(100)))
        except BlockingIOError:
            pass
    print(sent - len(heard))


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def checksum(data):
    n = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    n = (n >> 16) + (n & 0xffff)
    return ~(n + (n >> 16)) & 0xffff


def frame(kind, payload, source, to):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    s.bind(("eth0", 0))
    s.send(to + source + struct.pack("!H", kind) + payload)


def forge(source_mac, source, to, port):
    with open("/proc/net/arp") as f:
        router = [line.split()[3] for line in f if line.split()[2] == "0x2"][0]
    body = b"forged"
    udp_header = struct.pack("!HHHH", 4444, int(port), 8 + len(body), 0)
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28 + len(body), 1, 0, 64, 17, 0,
                     socket.inet_aton(source), socket.inet_aton(to))
    ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
    frame(0x0800, ip + udp_header + body, mac(source_mac), mac(router))


def arp(source_mac, source, who):
    packet = struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, 1, mac(source_mac), socket.inet_aton(source),
                         bytes(6), socket.inet_aton(who))
    frame(0x0806, packet, mac(source_mac), b"\xff" * 6)


if __name__ == "__main__":
    try:
        {f.__name__: f for f in (serve, tcp, udp, raw, hold, flood, stream, forge, arp)}[sys.argv[1]](*sys.argv[2:])
    except (OSError, AssertionError) as e:
        sys.exit("%s: %s" % (" ".join(sys.argv[1:]), e))
