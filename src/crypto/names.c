/* SPDX-License-Identifier: MIT */
#include "crypto/names.h"
#include <arpa/inet.h>
#include <stdio.h>

bool name_of_crt(gnutls_x509_crt_t crt, unsigned i, char text[NAME_ROOM])
{
    char raw[NAME_ROOM];
    size_t n = sizeof raw - 1;
    int kind = gnutls_x509_crt_get_subject_alt_name(crt, i, raw, &n, NULL);
    text[0] = '\0';
    if (kind == GNUTLS_SAN_DNSNAME)
        snprintf(text, NAME_ROOM, "%.*s", (int)n, raw);
    else if (kind == GNUTLS_SAN_IPADDRESS && (n == 4 || n == 16))
        inet_ntop(n == 4 ? AF_INET : AF_INET6, raw, text, NAME_ROOM);
    return kind >= 0 || kind == GNUTLS_E_SHORT_MEMORY_BUFFER;
}
