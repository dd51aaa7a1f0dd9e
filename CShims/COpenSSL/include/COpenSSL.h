// OpenSSL 3 for Swift: the library's own functions, and accessors for what Swift cannot import (macros and
// variadic functions). No logic.
#ifndef NEEDLETAIL_COPENSSL_H
#define NEEDLETAIL_COPENSSL_H

#include <sys/time.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/srtp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#if __has_include("COpenSSLHash.h")
#include "COpenSSLHash.h"
#endif

static inline EVP_PKEY *needletail_generate_p256(void) { return EVP_EC_gen("P-256"); }

// Holds a copy: BIO_new_mem_buf keeps the pointer, and those that Swift passes end with the call.
static inline BIO *needletail_copy_to_bio(const void *bytes, int count) {
    BIO *bio = BIO_new(BIO_s_mem());
    if (bio != NULL && count > 0 && BIO_write(bio, bytes, count) != count) {
        BIO_free(bio);
        return NULL;
    }
    return bio;
}

static inline int needletail_limit_to_dtls12(SSL_CTX *context) {
    return SSL_CTX_set_min_proto_version(context, DTLS1_2_VERSION) &&
           SSL_CTX_set_max_proto_version(context, DTLS1_2_VERSION);
}

static inline int needletail_require_tls12(SSL_CTX *context) {
    return (int)SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
}

static inline int needletail_require_tls13(SSL_CTX *context) {
    return (int)SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
}

static inline uint64_t needletail_tls_options(void) {
    return SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION;
}

static inline long needletail_release_buffers(SSL_CTX *context) {
    return SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
}

static inline int needletail_add_chain_certificate(SSL_CTX *context, X509 *certificate) {
    return (int)SSL_CTX_add1_chain_cert(context, certificate);
}

static inline uint64_t needletail_dtls_options(void) {
    return SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE;
}

static inline long needletail_disable_session_cache(SSL_CTX *context) {
    return SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
}

static inline int needletail_set_groups(SSL_CTX *context, const char *list) {
    return (int)SSL_CTX_set1_groups_list(context, list);
}

static inline long needletail_set_mtu(SSL *ssl, long bytes) { return SSL_set_mtu(ssl, bytes); }

static inline int needletail_timer_runs(SSL *ssl) {
    struct timeval left;
    return DTLSv1_get_timeout(ssl, &left) == 1;
}

static inline long needletail_handle_timeout(SSL *ssl) { return DTLSv1_handle_timeout(ssl); }

static inline int needletail_reset_bio(BIO *bio) { return BIO_reset(bio); }

static inline int needletail_set_owner(SSL *ssl, void *owner) { return SSL_set_app_data(ssl, owner); }

static inline void *needletail_owner(const SSL *ssl) { return SSL_get_app_data(ssl); }

static inline int needletail_set_server_name(SSL *ssl, const char *name) {
    return (int)SSL_set_tlsext_host_name(ssl, name);
}

#endif
