#include "generator.h"

#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/srtp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <srtp2/srtp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const uint64_t check_again = 100 * 1000000, consent_again = (uint64_t)2 * SECOND,
                      shortest_pause = 1000000;

struct transport {
    struct udp udp;
    struct sockaddr_in remote;
    char local_password[64], user[600], remote_password[300], fingerprint[100];
    SSL *ssl;
    /// Datagrams that came in; those that go out go to the socket.
    BIO *input;
    srtp_t inbound, outbound;
    bool checked, connected;
    uint64_t next_check;
    void *owner;
    transport_sink sink;
};

static SSL_CTX *client_context, *server_context;
static char own_fingerprint[100];

/// `AB:CD:...` of SHA-256.
static void write_fingerprint(X509 *certificate, char *text) {
    uint8_t digest[32];
    unsigned length = 0;
    if (!X509_digest(certificate, EVP_sha256(), digest, &length)) fail("X509_digest");
    for (unsigned i = 0; i < length; i++) text += sprintf(text, i ? ":%02X" : "%02X", digest[i]);
}

static int accept_any(X509_STORE_CTX *store, void *argument) {
    (void)store, (void)argument;
    // Self-signed: the fingerprint decides, after the handshake.
    return 1;
}

static X509 *self_sign(EVP_PKEY *key) {
    X509 *certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
    X509_NAME *name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)"generator", -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    X509_set_pubkey(certificate, key);
    if (!X509_sign(certificate, key, EVP_sha256())) fail("X509_sign");
    return certificate;
}

static SSL_CTX *make_context(const SSL_METHOD *method, EVP_PKEY *key, X509 *certificate, const char *profile) {
    SSL_CTX *context = SSL_CTX_new(method);
    SSL_CTX_set_min_proto_version(context, DTLS1_2_VERSION);
    SSL_CTX_use_certificate(context, certificate);
    SSL_CTX_use_PrivateKey(context, key);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_cert_verify_callback(context, accept_any, NULL);
    SSL_CTX_set_options(context, SSL_OP_NO_QUERY_MTU);
    if (SSL_CTX_set_tlsext_use_srtp(context, profile)) fail("OpenSSL knows no SRTP profile %s", profile);
    return context;
}

void transport_configure(const char *profile) {
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = self_sign(key);
    write_fingerprint(certificate, own_fingerprint);
    client_context = make_context(DTLS_client_method(), key, certificate, profile);
    server_context = make_context(DTLS_server_method(), key, certificate, profile);
    // As DTLS servers of browsers' media do: a new session for each, of one cipher and group.
    SSL_CTX_set_session_cache_mode(server_context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(server_context, SSL_OP_NO_TICKET);
    if (srtp_init() != srtp_err_status_ok) fail("srtp_init");
}

struct ssl_ctx_st *transport_context(bool server) { return server ? server_context : client_context; }

const char *transport_fingerprint(void) { return own_fingerprint; }

bool transport_connected(const struct transport *transport) { return transport->connected; }

struct udp *transport_udp(struct transport *transport) { return &transport->udp; }

// ---- ICE

static void send_check(struct transport *t) {
    struct stun request;
    uint8_t id[12], priority[4], controlling[8] = {1};
    RAND_bytes(id, sizeof id);
    put32(priority, 0x7e0000ff);
    stun_begin(&request, BINDING, id);
    stun_add(&request, USERNAME, t->user, strlen(t->user));
    stun_add(&request, PRIORITY, priority, sizeof priority);
    stun_add(&request, ICE_CONTROLLING, controlling, sizeof controlling);
    stun_add(&request, USE_CANDIDATE, NULL, 0);
    stun_finish(&request, t->remote_password, strlen(t->remote_password));
    udp_send(&t->udp, request.bytes, request.length);
}

static void answer_check(struct transport *t, const uint8_t *request) {
    struct stun response;
    stun_begin(&response, BINDING | SUCCESS, request + 8);
    stun_add_address(&response, XOR_MAPPED_ADDRESS, &t->remote);
    stun_finish(&response, t->local_password, strlen(t->local_password));
    udp_send(&t->udp, response.bytes, response.length);
}

// ---- DTLS

static srtp_t make_srtp(const SRTP_PROTECTION_PROFILE *profile, const uint8_t *key, const uint8_t *salt, bool inbound) {
    srtp_policy_t policy = {0};
    uint8_t master[64];
    size_t salt_length = profile->id == SRTP_AEAD_AES_128_GCM ? 12 : 14;
    if (profile->id == SRTP_AEAD_AES_128_GCM) {
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp);
    } else if (profile->id == SRTP_AES128_CM_SHA1_80) {
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtp);
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtcp);
    } else {
        fail("the server chose %s", profile->name);
    }
    memcpy(master, key, 16);
    memcpy(master + 16, salt, salt_length);
    policy.key = master;
    policy.ssrc.type = inbound ? ssrc_any_inbound : ssrc_any_outbound;
    policy.window_size = 1024;
    srtp_t session;
    if (srtp_create(&session, &policy) != srtp_err_status_ok) fail("srtp_create");
    return session;
}

static void finish_handshake(struct transport *t) {
    char shown[100];
    X509 *certificate = SSL_get1_peer_certificate(t->ssl);
    if (!certificate) fail("the server showed no certificate");
    write_fingerprint(certificate, shown);
    X509_free(certificate);
    if (strcasecmp(shown, t->fingerprint)) fail("the server's certificate is not the one of its answer");
    const SRTP_PROTECTION_PROFILE *profile = SSL_get_selected_srtp_profile(t->ssl);
    if (!profile) fail("no SRTP profile in common");
    size_t salt = profile->id == SRTP_AEAD_AES_128_GCM ? 12 : 14;
    uint8_t keys[60];
    const char *label = "EXTRACTOR-dtls_srtp";
    if (!SSL_export_keying_material(t->ssl, keys, 2 * (16 + salt), label, strlen(label), NULL, 0, 0)) fail("no keys");
    // Client's key, server's key, client's salt, server's salt (RFC 5764 section 4.2).
    t->outbound = make_srtp(profile, keys, keys + 32, false);
    t->inbound = make_srtp(profile, keys + 16, keys + 32 + salt, true);
    t->connected = true;
}

/// Flights are repeated after 50 ms, then twice as long each time, as libwebrtc does; microseconds.
static unsigned next_repetition(SSL *ssl, unsigned last) {
    (void)ssl;
    return last == 0 ? 50000 : 2 * last;
}

static void begin_handshake(struct transport *t) {
    t->ssl = SSL_new(client_context);
    t->input = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(t->input, -1);
    BIO *output = BIO_new_dgram(t->udp.watch.fd, BIO_NOCLOSE);
    BIO_ctrl_set_connected(output, &t->remote);
    SSL_set_bio(t->ssl, t->input, output);
    SSL_set_mtu(t->ssl, 1200);
    DTLS_set_timer_cb(t->ssl, next_repetition);
    SSL_set_connect_state(t->ssl);
    SSL_do_handshake(t->ssl);
}

static void receive_dtls(struct transport *t, const uint8_t *datagram, size_t length) {
    if (!t->ssl || t->connected) return;
    BIO_write(t->input, datagram, (int)length);
    int result = SSL_do_handshake(t->ssl);
    if (result == 1) {
        finish_handshake(t);
    } else if (SSL_get_error(t->ssl, result) != SSL_ERROR_WANT_READ) {
        fail("DTLS: %s", ERR_reason_error_string(ERR_get_error()));
    }
}

// ---- everything that arrives

static void receive(void *owner, uint8_t *datagram, size_t length, uint64_t now) {
    struct transport *t = owner;
    if (length < 12) return;
    // RFC 7983 section 7, RFC 5761 section 4.
    if (datagram[0] >= 128 && datagram[0] < 192) {
        if (!t->connected) return;
        char kind = datagram[1] >= 192 && datagram[1] <= 223 ? 'c' : 'r';
        int size = (int)length;
        if (kind == 'c' && srtp_unprotect_rtcp(t->inbound, datagram, &size) != srtp_err_status_ok) return;
        t->sink(t->owner, kind, datagram, (size_t)size, now);
    } else if (datagram[0] >= 20 && datagram[0] < 64) {
        receive_dtls(t, datagram, length);
    } else if (datagram[0] < 4 && length >= 20) {
        uint16_t type = get16(datagram);
        if (type == BINDING) answer_check(t, datagram);
        if (type == (BINDING | ERROR)) fail("the server refused a connectivity check");
        if (type == (BINDING | SUCCESS) && !t->checked) {
            t->checked = true;
            t->next_check = now + consent_again;
            begin_handshake(t);
        }
    }
}

struct transport *transport_new(int epoll, const struct transport_plan *plan, void *owner, transport_sink sink) {
    struct transport *t = calloc(1, sizeof *t);
    t->remote = plan->remote;
    snprintf(t->local_password, sizeof t->local_password, "%s", plan->local_password);
    snprintf(t->remote_password, sizeof t->remote_password, "%s", plan->remote_password);
    snprintf(t->user, sizeof t->user, "%s:%s", plan->remote_ufrag, plan->local_ufrag);
    snprintf(t->fingerprint, sizeof t->fingerprint, "%s", plan->fingerprint);
    t->owner = owner;
    t->sink = sink;
    t->udp.owner = t;
    t->udp.receive = receive;
    udp_open(&t->udp, epoll, &plan->local, &plan->remote);
    return t;
}

uint64_t transport_turn(struct transport *t, uint64_t now) {
    if (now >= t->next_check) {
        send_check(t);
        // Afterwards they renew the server's consent (RFC 7675).
        t->next_check = now + (t->checked ? consent_again : check_again);
    }
    if (t->ssl && !t->connected) {
        // OpenSSL itself knows whether its timer has passed.
        if (DTLSv1_handle_timeout(t->ssl) < 0) fail("the server did not answer DTLS");
        struct timeval left = {0};
        DTLSv1_get_timeout(t->ssl, &left);
        uint64_t pause = (uint64_t)left.tv_sec * SECOND + (uint64_t)left.tv_usec * 1000;
        return earlier(t->next_check, now + (pause < shortest_pause ? shortest_pause : pause));
    }
    return t->next_check;
}

size_t transport_seal(struct transport *t, uint8_t *rtp, size_t length) {
    int size = (int)length;
    if (srtp_protect(t->outbound, rtp, &size) != srtp_err_status_ok) fail("srtp_protect");
    return (size_t)size;
}

bool transport_open(struct transport *t, uint8_t *rtp, size_t *length) {
    int size = (int)*length;
    if (srtp_unprotect(t->inbound, rtp, &size) != srtp_err_status_ok) return false;
    *length = (size_t)size;
    return true;
}

void transport_send_rtcp(struct transport *t, uint8_t *rtcp, size_t length) {
    int size = (int)length;
    if (srtp_protect_rtcp(t->outbound, rtcp, &size) != srtp_err_status_ok) fail("srtp_protect_rtcp");
    udp_send(&t->udp, rtcp, (size_t)size);
}
