# SPDX-License-Identifier: MIT
"""middlebox.py - an HTTP proxy as they stand in offices: it refuses WebSockets, and where hold is set it keeps what is streamed until it is
whole, which a stream of events never is."""
import select
import socket
import struct
import threading


class Middlebox:
    def __init__(self, port, hold=False):
        self.to, self.refuse, self.hold = ('127.0.0.1', port), True, hold
        self.asked = []  # first lines of what was asked
        self.ends = set()
        self.server = socket.create_server(('127.0.0.1', 0))
        self.port = self.server.getsockname()[1]
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def accept(self):
        try:
            while True:
                s, _ = self.server.accept()
                self.ends.add(s)
                threading.Thread(target=self.one, args=[s], daemon=True).start()
        except OSError:
            pass  # closed

    def one(self, s):
        far = None
        try:
            head = b''
            while b'\r\n\r\n' not in head:
                head += (more := s.recv(65536))
                if not more:
                    return
            self.asked.append(head.split(b'\r\n')[0].decode())
            if b'upgrade: websocket' in head.lower() and self.refuse:
                s.sendall(b'HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
                return
            far = socket.create_connection(self.to)
            self.ends.add(far)
            far.sendall(head.replace(b'Connection: keep-alive', b'Connection: close'))  # one request a connection
            self.carry(s, far)
        except OSError:
            pass
        finally:
            for x in filter(None, (s, far)):
                self.ends.discard(x)
                x.close()

    def carry(self, s, far):
        held = b''
        while True:
            for x in select.select([s, far], [], [])[0]:
                data = x.recv(65536)
                if x is s and data:
                    far.sendall(data)
                elif x is far and self.hold and (held or b'text/event-stream' in data):
                    held += data
                    if not data:
                        s.sendall(held)
                elif x is far and data:
                    s.sendall(data)
                if not data:
                    return

    def cut(self):
        """All that stands is reset."""
        for x in list(self.ends):
            try:
                x.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
                x.shutdown(socket.SHUT_RDWR)  # wakes its thread
            except OSError:
                pass

    def close(self):
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()
        self.cut()
        self.thread.join(10)
