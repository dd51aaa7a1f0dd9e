// libsrtp2 for Swift: its macros as functions, and the cipher and hash types that its installed headers do not
// declare (upstream's cipher_types.h). No logic.
#ifndef NEEDLETAIL_CSRTP_H
#define NEEDLETAIL_CSRTP_H

#include <srtp2/auth.h>
#include <srtp2/cipher.h>
#include <srtp2/srtp.h>

// What the process's one srtp_init answered: a second one fails.
srtp_err_status_t needletail_srtp_init(void);

extern const srtp_cipher_type_t srtp_aes_icm_128;
extern const srtp_cipher_type_t srtp_aes_gcm_128;
extern const srtp_cipher_type_t srtp_aes_gcm_256;
extern const srtp_auth_type_t srtp_hmac;

static inline const srtp_cipher_type_t *needletail_srtp_aes_icm_128(void) { return &srtp_aes_icm_128; }
static inline const srtp_cipher_type_t *needletail_srtp_aes_gcm_128(void) { return &srtp_aes_gcm_128; }
static inline const srtp_cipher_type_t *needletail_srtp_aes_gcm_256(void) { return &srtp_aes_gcm_256; }

static inline srtp_err_status_t needletail_srtp_hmac_alloc(srtp_auth_t **auth, int key_length, int tag_length) {
    return srtp_auth_type_alloc(&srtp_hmac, auth, key_length, tag_length);
}

static inline srtp_err_status_t needletail_srtp_auth_init(srtp_auth_t *auth, const uint8_t *key) {
    return srtp_auth_init(auth, key);
}

static inline srtp_err_status_t needletail_srtp_auth_start(srtp_auth_t *auth) { return srtp_auth_start(auth); }

static inline srtp_err_status_t needletail_srtp_auth_update(srtp_auth_t *auth, const uint8_t *bytes, int length) {
    return srtp_auth_update(auth, bytes, length);
}

static inline srtp_err_status_t needletail_srtp_auth_compute(
    srtp_auth_t *auth, const uint8_t *bytes, int length, uint8_t *tag) {
    return srtp_auth_compute(auth, bytes, length, tag);
}

static inline void needletail_srtp_auth_dealloc(srtp_auth_t *auth) { srtp_auth_dealloc(auth); }

#endif
