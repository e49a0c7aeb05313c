/* SPDX-License-Identifier: MIT
 *
 * udp.h - what datagrams (udp:// and unixgram://) add. A listener makes a conn for each peer address; a conn ends
 * after idle_ms_max (60 s; a dialled one has none unless it is set) without a datagram either way. One dx_send is one
 * datagram; what arrives while a conn is paused waits in at most 64 KiB, the newest are dropped and counted
 * (DX_COUNT_DATAGRAM_DROPS), as are those of over 64 KiB. A unixgram:// socket is not read meanwhile, so that its
 * sender waits and nothing is lost, where that keeps nobody else waiting: it is dialled, or its listener takes no
 * more than this one conn.
 * DIALLING   udp://239.1.1.1:5000 and udp://[ff15::1]:5000 send to a group, udp://10.0.0.255:5000#broadcast to all of a network;
 *            whoever answers, to our own address, is heard on the same conn. #interface=eth0: by which multicast leaves.
 *            #bind=ADDR:PORT and #ttl=N as in duplex.h.
 * Sources that are never answered, and so never become a conn: port 0, 7, 13, 17, 19, 37, 53, 69, 123, 161, 1900,
 * 5353, 11211 off loopback, our own address, broadcast and multicast (RFC 8085; CVE-2024-2169).
 */
#ifndef DUPLEX_UDP_H
#define DUPLEX_UDP_H
#include <duplex/duplex.h>
/* clang-format off */
#ifdef __cplusplus
extern "C" {
#endif

/* The listener's own UDP sockets of the group's family hear what is sent to it: "239.1.1.1", "ff15::1", on that interface ("eth0";
 * NULL: as routes say), and no other groups. Several calls, several groups. 0; DX_URL: no group, or no such interface;
 * DX_STATE: no UDP socket of that family; DX_SYS: the system said no, errno is why. */
DX_API int dx_udp_join(dx_listener *s, const char *group, const char *interface_name);
/* Hops (TTL) of what its UDP sockets send, unicast and multicast: 1-255. 0; DX_URL: another number; DX_STATE: no UDP socket. */
DX_API int dx_udp_ttl(dx_listener *s, int hops);
/* Bytes this peer has sent us and we have sent it: who answers strangers keeps the second below the first. */
DX_API void dx_udp_traffic(const dx_conn *c, uint64_t *ret_in, uint64_t *ret_out);

#ifdef __cplusplus
}
#endif
#endif
