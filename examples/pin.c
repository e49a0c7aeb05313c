/* SPDX-License-Identifier: MIT
 * pin.c - makes a certificate for this host, or takes the one there is, and shows what a client should pin. */
#include <duplex/tls.h>
#include <stdio.h>

int main(void)
{
    const dx_tls_opts o = {.cert = "auto"};
    dx_err err = {0};
    dx_tls *tls = dx_tls_new(&o, &err);
    if (!tls) {
        fprintf(stderr, "pin: %s\n", err.text);
        return 1;
    }
    printf("%s\n", dx_tls_pin(tls));
    dx_tls_drop(tls);
    return 0;
}
