#include "people.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <time.h>

static uint64_t processor_time(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (uint64_t)time.tv_sec * SECOND + (uint64_t)time.tv_nsec;
}

/// One end, which reads what the other one wrote.
static SSL *make_end(bool server, BIO *input, BIO *output) {
    SSL *ssl = SSL_new(transport_context(server));
    if (!ssl) fail("SSL_new");
    SSL_set_bio(ssl, input, output);
    SSL_set_mtu(ssl, 1200);
    if (server) {
        SSL_set_accept_state(ssl);
    } else {
        SSL_set_connect_state(ssl);
    }
    return ssl;
}

static bool advance(SSL *ssl) {
    int result = SSL_do_handshake(ssl);
    if (result == 1) return true;
    if (SSL_get_error(ssl, result) != SSL_ERROR_WANT_READ) fail("DTLS: %s", ERR_reason_error_string(ERR_get_error()));
    return false;
}

static BIO *make_way(void) {
    BIO *bio = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(bio, -1);
    return bio;
}

/// The server's processor time of one handshake: its SSL object made, its flights, its keys, and its end.
static uint64_t handshake(void) {
    uint64_t spent = 0, mark = processor_time();
    BIO *to_server = make_way(), *to_client = make_way();
    SSL *server = make_end(true, to_server, to_client);
    spent += processor_time() - mark;
    BIO_up_ref(to_server);
    BIO_up_ref(to_client);
    SSL *client = make_end(false, to_client, to_server);
    bool is_done = false;
    for (unsigned turns = 0; !is_done; turns++) {
        if (turns == 20) fail("a handshake does not end");
        bool client_is_done = advance(client);
        mark = processor_time();
        is_done = advance(server) && client_is_done;
        spent += processor_time() - mark;
    }
    uint8_t keys[60];
    mark = processor_time();
    if (!SSL_export_keying_material(server, keys, sizeof keys, "EXTRACTOR-dtls_srtp", 19, NULL, 0, 0)) fail("no keys");
    SSL_free(server);
    spent += processor_time() - mark;
    SSL_free(client);
    return spent;
}

void handshake_measure(unsigned count) {
    uint64_t server = 0, start = processor_time();
    for (unsigned i = 0; i < count; i++) server += handshake();
    printf("{\"handshakes\":%u,\"server\":%lu,\"both\":%lu}\n", count, server, processor_time() - start);
}
