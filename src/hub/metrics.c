/* SPDX-License-Identifier: MIT
 * metrics.c - /~metrics: what was counted, as Prometheus' text (format 0.0.4). Labels are ours alone: no name that a peer chose is one. */
#include "hub/inside.h"

static void one(dx_text *t, const char *name, const char *type, const char *help, unsigned long long value)
{
    text_fmt(t, "# HELP duplex_%s %s\n# TYPE duplex_%s %s\nduplex_%s %llu\n", name, help, name, type, name, value);
}

void metrics(struct member *m, dx_text *out)
{
    static const char *const classes[] = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
    const struct hub *h = m->hub;
    const struct hub_counts *n = &h->counts;
    one(out, "conns", "gauge", "Connections and other conns that stand.",
        (unsigned long long)dx_loop_count(h->loop, DX_COUNT_CONNS));
    one(out, "rooms", "gauge", "Rooms that somebody is in, and the lobby.", n->rooms);
    one(out, "members", "gauge", "Members of rooms, as /who lists them.", n->listed);
    one(out, "memory_bytes", "gauge", "Queues, messages and held input.", dx_memory_used());
    one(out, "messages_total", "counter", "Messages said in rooms.", n->messages);
    one(out, "missed_total", "counter", "Messages that went by members who did not read.", n->missed);
    one(out, "refused_total", "counter", "Wrong Host, Origin or key, or over a limit.", n->refused);
    one(out, "accept_rests_total", "counter", "Times that accepting rested for want of descriptors.",
        (unsigned long long)dx_loop_count(h->loop, DX_COUNT_ACCEPT_RESTS));
    one(out, "handshake_faults_total", "counter", "TLS handshakes of callers that came to nothing.",
        (unsigned long long)dx_loop_count(h->loop, DX_COUNT_HANDSHAKE_FAULTS));
    one(out, "datagram_drops_total", "counter", "Datagrams that were dropped.",
        (unsigned long long)dx_loop_count(h->loop, DX_COUNT_DATAGRAM_DROPS));
    one(out, "http_sent_bytes_total", "counter", "Bytes of bodies that were given.", n->sent);
    text_str(out, "# HELP duplex_http_requests_total Requests that are over, by status.\n# TYPE "
                  "duplex_http_requests_total counter\n");
    for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++)
        text_fmt(out, "duplex_http_requests_total{status=\"%s\"} %llu\n", classes[i],
                 (unsigned long long)n->requests[i]);
}
