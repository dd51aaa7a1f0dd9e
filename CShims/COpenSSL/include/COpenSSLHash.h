// OpenSSL's low-level SHA-1, SHA-256 and AES for Swift. They are deprecated in favour of EVP, which allocates for each use;
// these work on the caller's memory. No logic.
#ifndef NEEDLETAIL_COPENSSL_HASH_H
#define NEEDLETAIL_COPENSSL_HASH_H

#include <openssl/aes.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wdeprecated-declarations"

static inline void needletail_sha1_init(SHA_CTX *context) { SHA1_Init(context); }

static inline void needletail_sha1_update(SHA_CTX *context, const void *bytes, size_t length) {
    SHA1_Update(context, bytes, length);
}

static inline void needletail_sha1_final(void *digest, SHA_CTX *context) {
    SHA1_Final((unsigned char *)digest, context);
}

static inline void needletail_sha256_init(SHA256_CTX *context) { SHA256_Init(context); }

static inline void needletail_sha256_update(SHA256_CTX *context, const void *bytes, size_t length) {
    SHA256_Update(context, bytes, length);
}

static inline void needletail_sha256_final(void *digest, SHA256_CTX *context) {
    SHA256_Final((unsigned char *)digest, context);
}

static inline void needletail_aes_set_key(const void *key, int bits, AES_KEY *expanded) {
    AES_set_encrypt_key((const unsigned char *)key, bits, expanded);
}

static inline void needletail_aes_encrypt(const void *in, void *out, const AES_KEY *key) {
    AES_encrypt((const unsigned char *)in, (unsigned char *)out, key);
}

#pragma clang diagnostic pop

#endif
