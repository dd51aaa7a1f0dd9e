#include "Prototype.h"

#include <intel-ipsec-mb.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <rte_prefetch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    burst_size = 32,
    sources = 64,
    frame_header = 42,
    rtp_header = 12,
    maximum_extension = 16,
    maximum_payload = 1400,
    tag_length = 16,
    // Receivers ahead of use: first the receiver's own lines, then its key, whose 1 KiB takes longer to come.
    ahead_receiver = 4,
    ahead_key = 2,
};

// What is known of a receiver: the headers of its packets as they go out, but for what each packet changes.
struct receiver {
    uint8_t headers[frame_header + rtp_header + maximum_extension];
    uint16_t sequence;
    uint32_t rollover;
    // Of the IPv4 header, without length.
    uint32_t header_sum;
    uint32_t ssrc;
    uint8_t salt[12];
} __rte_aligned(128);

struct prototype {
    IMB_MGR *manager;
    struct rte_mempool *pool;
    uint16_t port;
    uint32_t receiver_count;
    uint32_t extension_length;
    uint32_t payload_length;
    uint32_t next_source;
    uint32_t timestamp;
    struct receiver *receivers;
    struct gcm_key_data *keys;
    uint8_t (*payloads)[maximum_payload];
    struct gcm_context_data context;
};

static void put16(uint8_t *at, uint16_t value) {
    value = rte_cpu_to_be_16(value);
    memcpy(at, &value, 2);
}

static void put32(uint8_t *at, uint32_t value) {
    value = rte_cpu_to_be_32(value);
    memcpy(at, &value, 4);
}

static uint16_t fold(uint32_t sum) {
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)(sum + (sum >> 16));
}

static void make_receiver(struct prototype *p, uint32_t index) {
    struct receiver *r = &p->receivers[index];
    uint8_t *ip = r->headers + 14, *udp = ip + 20, *rtp = udp + 8;
    static const uint8_t macs[12] = {0x02, 0, 0, 0, 0, 1, 0x02, 0, 0, 0, 0, 2};
    memcpy(r->headers, macs, sizeof macs);
    put16(r->headers + 12, RTE_ETHER_TYPE_IPV4);
    ip[0] = 0x45;
    ip[8] = 64;
    ip[9] = 17;
    put32(ip + 12, 0x0a000001);
    put32(ip + 16, 0x0a010000 + index);
    for (int word = 0; word < 10; word++) r->header_sum += (uint32_t)ip[2 * word] << 8 | ip[2 * word + 1];
    put16(udp, 3478);
    put16(udp + 2, 40000);
    r->ssrc = 0x10000000 + index;
    r->sequence = (uint16_t)(index & 0x7fff);
    rtp[0] = 0x90;
    rtp[1] = 120;
    put32(rtp + 8, r->ssrc);
    // RFC 8285 section 4.2: one-byte header; id 3, two bytes; the rest is padding.
    put16(rtp + 12, 0xbede);
    put16(rtp + 14, (uint16_t)(p->extension_length / 4 - 1));
    rtp[16] = 3 << 4 | 1;
    uint8_t key[16] = {0x5a};
    memcpy(key + 4, &index, sizeof index);
    memcpy(r->salt, &index, sizeof index);
    IMB_AES128_GCM_PRE(p->manager, key, &p->keys[index]);
}

struct prototype *prototype_make(
    const char *device, const char *pool, uint32_t receivers, uint32_t extension_length, uint32_t payload_length) {
    struct prototype *p = aligned_alloc(64, (sizeof *p + 63) & ~63ul);
    if (p == NULL) return NULL;
    memset(p, 0, sizeof *p);
    p->manager = alloc_mb_mgr(0);
    p->pool = rte_mempool_lookup(pool);
    p->receiver_count = receivers;
    p->extension_length = extension_length;
    p->payload_length = payload_length;
    // The ones after the last are prefetched, never used. 2 MiB pages where the kernel gives them: 10,000 keys are more
    // pages of 4 KiB than the processor remembers.
    const size_t count = receivers + ahead_receiver, key_bytes = count * sizeof(struct gcm_key_data);
    p->receivers = aligned_alloc(128, count * sizeof(struct receiver));
    p->keys = aligned_alloc(2 << 20, (key_bytes + (2 << 20) - 1) & ~((2ul << 20) - 1));
    p->payloads = malloc(sizeof(uint8_t[sources][maximum_payload]));
    if (p->manager == NULL || p->pool == NULL || p->receivers == NULL || p->keys == NULL || p->payloads == NULL ||
        extension_length > maximum_extension || payload_length > maximum_payload ||
        rte_eth_dev_get_port_by_name(device, &p->port) != 0) {
        prototype_free(p);
        return NULL;
    }
    (void)madvise(p->keys, key_bytes, MADV_HUGEPAGE);
    init_mb_mgr_auto(p->manager, NULL);
    memset(p->receivers, 0, count * sizeof(struct receiver));
    memset(p->payloads, 0x5a, sizeof(uint8_t[sources][maximum_payload]));
    for (uint32_t index = 0; index < receivers; index++) make_receiver(p, index);
    return p;
}

void prototype_free(struct prototype *p) {
    if (p->manager != NULL) free_mb_mgr(p->manager);
    free(p->receivers);
    free(p->keys);
    free(p->payloads);
    free(p);
}

static inline void prefetch_key(const struct gcm_key_data *key) {
    for (size_t offset = 0; offset < sizeof *key; offset += 64) rte_prefetch0((const uint8_t *)key + offset);
}

// Writes one packet for a receiver into an empty buffer.
static inline void write_packet(struct prototype *p, uint32_t index, const uint8_t *payload, struct rte_mbuf *out) {
    struct receiver *r = &p->receivers[index];
    const uint32_t header = rtp_header + p->extension_length;
    const uint32_t length = header + p->payload_length + tag_length;
    uint8_t *frame = rte_pktmbuf_mtod(out, uint8_t *), *rtp = frame + frame_header;
    const uint16_t sequence = ++r->sequence;
    if (sequence == 0) r->rollover++;

    memcpy(frame, r->headers, sizeof r->headers);
    put16(frame + 16, (uint16_t)(length + 28));
    put16(frame + 24, (uint16_t)~fold(r->header_sum + length + 28));
    put16(frame + 38, (uint16_t)(length + 8));
    put16(rtp + 2, sequence);
    put32(rtp + 4, p->timestamp);
    put16(rtp + 17, sequence);

    // RFC 7714 section 8.1: two zero bytes, SSRC, roll-over counter, sequence number, xor the salt.
    uint8_t nonce[12] = {0};
    put32(nonce + 2, r->ssrc);
    put32(nonce + 6, r->rollover);
    put16(nonce + 10, sequence);
    for (int place = 0; place < 12; place++) nonce[place] ^= r->salt[place];
    IMB_AES128_GCM_ENC(
        p->manager, &p->keys[index], &p->context, rtp + header, payload, p->payload_length, nonce, rtp, header,
        rtp + header + p->payload_length, tag_length);

    out->data_len = (uint16_t)(frame_header + length);
    out->pkt_len = out->data_len;
    out->ol_flags = RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_UDP_CKSUM;
    out->tx_offload = rte_mbuf_tx_offload(14, 20, 8, 0, 0, 0, 0);
}

uint64_t prototype_forward(struct prototype *p, uint32_t packets) {
    struct rte_mbuf *out[burst_size];
    uint64_t sent = 0;
    for (uint32_t packet = 0; packet < packets; packet++) {
        const uint8_t *payload = p->payloads[p->next_source++ % sources];
        p->timestamp += 300;
        for (uint32_t ahead = 0; ahead < ahead_key; ahead++) prefetch_key(&p->keys[ahead]);
        for (uint32_t first = 0; first < p->receiver_count; first += burst_size) {
            const uint32_t count = RTE_MIN((uint32_t)burst_size, p->receiver_count - first);
            if (rte_pktmbuf_alloc_bulk(p->pool, out, count) != 0) return sent;
            for (uint32_t place = 0; place < count; place++) {
                const struct receiver *ahead = &p->receivers[first + place + ahead_receiver];
                rte_prefetch0(ahead);
                rte_prefetch0((const uint8_t *)ahead + 64);
                prefetch_key(&p->keys[first + place + ahead_key]);
                write_packet(p, first + place, payload, out[place]);
            }
            const uint16_t taken = rte_eth_tx_burst(p->port, 0, out, (uint16_t)count);
            rte_pktmbuf_free_bulk(out + taken, count - taken);
            sent += taken;
        }
    }
    return sent;
}

int prototype_is_right(struct prototype *p) {
    struct rte_mbuf *out = rte_pktmbuf_alloc(p->pool);
    if (out == NULL) return 0;
    write_packet(p, 0, p->payloads[0], out);
    const uint32_t header = rtp_header + p->extension_length;
    uint8_t *frame = rte_pktmbuf_mtod(out, uint8_t *), *rtp = frame + frame_header;
    uint8_t plain[maximum_payload], tag[tag_length], nonce[12] = {0};
    memcpy(nonce + 2, rtp + 8, 4);
    memcpy(nonce + 10, rtp + 2, 2);
    for (int place = 0; place < 12; place++) nonce[place] ^= p->receivers[0].salt[place];
    IMB_AES128_GCM_DEC(
        p->manager, &p->keys[0], &p->context, plain, rtp + header, p->payload_length, nonce, rtp, header, tag,
        tag_length);
    uint32_t sum = 0;
    for (int place = 14; place < 34; place += 2) sum += (uint32_t)frame[place] << 8 | frame[place + 1];
    const int right = memcmp(tag, rtp + header + p->payload_length, tag_length) == 0 &&
                      memcmp(plain, p->payloads[0], p->payload_length) == 0 && fold(sum) == 0xffff &&
                      out->data_len == frame_header + header + p->payload_length + tag_length;
    rte_pktmbuf_free(out);
    return right;
}
