# SPDX-License-Identifier: MIT
"""strangers.py - first bytes of those who have no business in a room: none of it may become speech."""

HEADS = [
    b'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: canary\r\n\r\n',
    b'POST /canary HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\n\r\ncanary',
    b'OPTIONS * HTTP/1.1\r\nHost: canary\r\n\r\n',
    b'CONNECT canary:443 HTTP/1.1\r\nHost: canary\r\n\r\n',
    b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\ncanary',
    b'\r\nGET http://canary/ HTTP/1.0\r\nAuthorization: canary\r\n\r\n',
]

FOREIGN = {
    'ssh': b'SSH-2.0-OpenSSH_9.2p1 canary\r\n',
    'rdp': bytes.fromhex('030000130ee000000000000100080003000000') + b'canary',
    'smb': bytes.fromhex('00000045ff534d4272') + b'canary' * 10,
    'smb2': bytes.fromhex('00000040fe534d4240') + b'canary' * 10,
    'mqtt': bytes.fromhex('101200044d5154540402003c0006') + b'canary',
    'socks4': b'\x04\x01\x00\x50\x7f\x00\x00\x01canary\x00',
    'socks5': b'\x05\x01\x00canary',
    'proxy1': b'PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\ncanary\r\n',
    'proxy2': b'\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c' + b'canary12' * 2,
    'stun': bytes.fromhex('000100002112a442') + b'canary123456',
    'tls': bytes.fromhex('16030100f0010000ec0303') + b'canary' * 40,
    'tls-sslv2': bytes.fromhex('802e010301001500000010') + b'canary' * 6,
    'dns': b'\x00\x1e\xaa\xaa\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x06canary\x00\x00\x01\x00\x01',
    'postgres': bytes.fromhex('0000000804d2162f') + b'canary',
    'mysql-login': bytes.fromhex('2000000185a60300000000012100000000') + b'canary' * 4,
    'mongo': bytes.fromhex('3a00000001000000000000d407') + b'canary' * 8,
    'bittorrent': b'\x13BitTorrent protocol\x00\x00\x00\x00\x00\x00\x00\x00canary',
    'ldap': bytes.fromhex('300c020101600702010304008000') + b'canary\x00',
    'kafka': bytes.fromhex('0000002300120000000000') + b'\x00\x06canary',
    'cassandra': bytes.fromhex('0400000001000000160001') + b'canary',
    'vnc-like-null': b'RFB 003.008\n\x00canary',
    'x11': b'l\x00\x0b\x00\x00\x00\x00\x00\x00\x00canary',
    'ipp-null': b'\x01\x01\x00\x0b\x00\x00\x00\x01canary',
    'rtsp': b'OPTIONS rtsp://canary/ RTSP/1.0\r\nCSeq: 1\r\n\r\n',
    'sip': b'REGISTER sip:canary SIP/2.0\r\nVia: x\r\n\r\n',
    'h2': b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x06canary',
    'http09': b'GET /canary\r\n',
    'http-lower-version': b'GET /canary HTTP/9.9\r\n\r\n',
    'nul': b'\x00canary',
    'redis-null': b'*1\r\n$7\r\ncanary\x00\r\n',
}
