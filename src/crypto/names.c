/* SPDX-License-Identifier: MIT */
#include "crypto/names.h"
#include "base/err.h"
#include "os/host.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LABEL_MAX = 63, NAME_SHOWN_MAX = 100, HOST_NAMES_MAX = NAMES_MAX - 50 };

struct names *names_new(dx_err *err)
{
    struct names *s = calloc(1, sizeof *s);
    if (!s)
        err_set(err, DX_NOMEM, "names of a certificate: no memory");
    return s;
}

void names_free(struct names *s)
{
    free(s);
}

size_t name_address(const char *name, uint8_t raw[16])
{
    if (inet_pton(AF_INET, name, raw) == 1)
        return 4;
    return inet_pton(AF_INET6, name, raw) == 1 ? 16 : 0;
}

/* NULL, or what is wrong with a DNS name in lower case. */
static const char *why_no_dns_name(const char *s)
{
    size_t label = 0;
    bool digits = true; /* of the last label: such a name would be read as an address (10.0.0.999) */
    const char *p = s + (strncmp(s, "*.", 2) ? 0 : 2);
    for (; *p; p++) {
        bool letter = (*p >= 'a' && *p <= 'z') || *p == '-' || *p == '_', digit = *p >= '0' && *p <= '9';
        if (*p == '.' && label > 0 && p[1]) {
            label = 0;
            digits = true;
            continue;
        }
        if (*p == '*')
            return "a '*' is a whole first part: *.a.example";
        if ((unsigned char)*p >= 0x80)
            return "write it in its ASCII form, xn--...";
        if (!letter && !digit)
            return "it has letters, digits, '-' and '_', with dots between them";
        digits = digits && digit;
        if (++label > LABEL_MAX)
            return "63 letters fit between two dots";
    }
    return !label ? "it is empty" : digits ? "it ends as an address does, and is none" : NULL;
}

static int names_put(struct names *s, const char *name, dx_err *err)
{
    for (int i = 0; i < s->n; i++)
        if (!strcmp(s->name[i], name))
            return 0;
    if (s->n == NAMES_MAX)
        return err_set(err, DX_URL, "a certificate with more than %d names", NAMES_MAX);
    memcpy(s->name[s->n++], name, strlen(name) + 1);
    return 0;
}

int names_add(struct names *s, struct bytes name, dx_err *err)
{
    char text[NAME_ROOM] = "";
    uint8_t raw[16];
    const char *why = "253 characters fit";
    bool bracketed = name.n > 2 && name.p[0] == '[' && name.p[name.n - 1] == ']';
    if (name.n < NAME_ROOM - 2) {
        memcpy(text, name.p + bracketed, name.n - 2 * bracketed);
        for (char *p = text; *p; p++)
            if (*p >= 'A' && *p <= 'Z')
                *p = (char)(*p | 0x20);
        size_t address = name_address(text, raw);
        if (address)
            inet_ntop(address == 4 ? AF_INET : AF_INET6, raw, text, sizeof text);
        why = address ? NULL : bracketed ? "that is no address" : why_no_dns_name(text);
    }
    if (why)
        return err_set(err, DX_URL, "'%.*s' is no name for a certificate: %s",
                       (int)(name.n < NAME_SHOWN_MAX ? name.n : NAME_SHOWN_MAX), (const char *)name.p, why);
    return names_put(s, text, err);
}

int names_add_list(struct names *s, const char *list, dx_err *err)
{
    const char *at = list ? list : "";
    while (*at) {
        size_t n = strcspn(at, ",");
        int r = names_add(s, (struct bytes){(const uint8_t *)at, n}, err);
        if (r < 0)
            return r;
        at += n;
        if (*at == ',' && !*++at)
            return err_set(err, DX_URL, "names: nothing after the last ','");
    }
    return 0;
}

static int add_text(void *arg, const char *name)
{
    if (((struct names *)arg)->n >= HOST_NAMES_MAX)
        return DX_LIMIT;
    return names_add(arg, (struct bytes){(const uint8_t *)name, strlen(name)}, NULL);
}

void names_add_host(struct names *s)
{
    char host[NAME_ROOM], local[NAME_ROOM + 8];
    /* What a host is called need not be a name that a certificate can hold: then it is left out. */
    if (os_host_name(host, sizeof host) == 0 && add_text(s, host) == 0) {
        snprintf(local, sizeof local, "%.*s.local", (int)strcspn(host, "."), host);
        if (strcmp(local, "localhost.local"))
            add_text(s, local);
    }
    add_text(s, "localhost");
    add_text(s, "127.0.0.1");
    add_text(s, "::1");
    os_host_addresses(add_text, s);
}

bool names_all_in(const struct names *s, gnutls_x509_crt_t crt)
{
    char name[NAME_ROOM];
    bool found[NAMES_MAX] = {false};
    int missing = s->n;
    for (unsigned i = 0; name_of_crt(crt, i, name); i++)
        for (int k = 0; k < s->n; k++)
            if (!found[k] && !strcmp(s->name[k], name)) {
                found[k] = true;
                missing--;
            }
    return missing == 0;
}

bool name_of_crt(gnutls_x509_crt_t crt, unsigned i, char text[NAME_ROOM])
{
    char raw[NAME_ROOM];
    size_t n = sizeof raw - 1;
    int kind = gnutls_x509_crt_get_subject_alt_name(crt, i, raw, &n, NULL);
    text[0] = '\0';
    /* A name that holds a NUL is nobody's: its beginning may be another's. */
    if (kind == GNUTLS_SAN_DNSNAME && !memchr(raw, 0, n))
        snprintf(text, NAME_ROOM, "%.*s", (int)n, raw);
    else if (kind == GNUTLS_SAN_IPADDRESS && (n == 4 || n == 16))
        inet_ntop(n == 4 ? AF_INET : AF_INET6, raw, text, NAME_ROOM);
    return kind >= 0 || kind == GNUTLS_E_SHORT_MEMORY_BUFFER;
}
