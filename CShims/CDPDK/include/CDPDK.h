// What Swift cannot import of DPDK: over-aligned structs (rte_mbuf, rte_mempool), static inline functions that
// take them, and macros. Accessors only: each maps to one field or one DPDK call.
#pragma once

#include <errno.h>
#include <rte_bus_vdev.h>
#include <rte_cycles.h>
#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_flow.h>
#include <rte_lcore.h>
#include <rte_log.h>
#include <rte_mbuf_pool_ops.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <rte_pause.h>
#include <rte_prefetch.h>
#include <rte_version.h>
#include <stdint.h>
#include <string.h>

// Bytes of the private area behind each mbuf's header: one cache line for the worker's metadata.
#define MBUF_PRIVATE_SIZE 64

// mbuf: data

static inline void *mbuf_data(const struct rte_mbuf *m) { return rte_pktmbuf_mtod(m, void *); }
static inline uint32_t mbuf_pkt_len(const struct rte_mbuf *m) { return m->pkt_len; }
static inline uint16_t mbuf_data_len(const struct rte_mbuf *m) { return m->data_len; }
static inline uint16_t mbuf_headroom(const struct rte_mbuf *m) { return m->data_off; }
static inline uint16_t mbuf_tailroom(const struct rte_mbuf *m) { return m->buf_len - m->data_off - m->data_len; }
static inline uint16_t mbuf_segments(const struct rte_mbuf *m) { return m->nb_segs; }

// Both lengths of a single-segment mbuf.
static inline void mbuf_set_length(struct rte_mbuf *m, uint16_t length) {
    m->data_len = length;
    m->pkt_len = length;
}

static inline uint64_t mbuf_header_lens(uint16_t l2, uint16_t l3, uint16_t l4) {
    return rte_mbuf_tx_offload(l2, l3, l4, 0, 0, 0, 0);
}
// What a whole frame to transmit needs: its length, and what the device fills in.
static inline void mbuf_finish(struct rte_mbuf *m, uint16_t length, uint64_t ol_flags, uint64_t tx_offload) {
    m->pkt_len = length;
    m->data_len = length;
    m->ol_flags = ol_flags;
    m->tx_offload = tx_offload;
}

// Free for the sender's own use: no driver reads the hash of a packet that it transmits.
static inline uint32_t mbuf_tx_mark(const struct rte_mbuf *m) { return m->hash.usr; }
static inline void mbuf_set_tx_mark(struct rte_mbuf *m, uint32_t mark) { m->hash.usr = mark; }

// Moves the start of the data; the caller has checked the room.
static inline void mbuf_move_start(struct rte_mbuf *m, int16_t by) { m->data_off += by; }
static inline void *mbuf_private(struct rte_mbuf *m) { return (char *)m + sizeof(struct rte_mbuf); }

// mbuf: ownership

static inline uint16_t mbuf_refcnt(const struct rte_mbuf *m) { return rte_mbuf_refcnt_read(m); }
static inline void mbuf_refcnt_update(struct rte_mbuf *m, int16_t by) { rte_mbuf_refcnt_update(m, by); }
static inline void mbuf_free(struct rte_mbuf *m) { rte_pktmbuf_free(m); }
// Runs of mbufs that end in the same pool go back to it together.
static inline void mbuf_free_bulk(void *burst, uint32_t count) {
    rte_pktmbuf_free_bulk((struct rte_mbuf **)burst, count);
}
static inline struct rte_mbuf *mbuf_alloc(struct rte_mempool *pool) { return rte_pktmbuf_alloc(pool); }
// 0, or -ENOENT with nothing allocated.
static inline int mbuf_alloc_bulk(struct rte_mempool *pool, void *burst, uint32_t count) {
    return rte_pktmbuf_alloc_bulk(pool, (struct rte_mbuf **)burst, count);
}

// mbuf: offloads

static inline uint64_t mbuf_ol_flags(const struct rte_mbuf *m) { return m->ol_flags; }
static inline void mbuf_set_ol_flags(struct rte_mbuf *m, uint64_t flags) { m->ol_flags = flags; }
static inline uint64_t mbuf_tx_offload(const struct rte_mbuf *m) { return m->tx_offload; }
static inline void mbuf_set_tx_offload(struct rte_mbuf *m, uint64_t value) { m->tx_offload = value; }
static inline void mbuf_set_header_lens(struct rte_mbuf *m, uint16_t l2, uint16_t l3, uint16_t l4) {
    m->tx_offload = rte_mbuf_tx_offload(l2, l3, l4, 0, 0, 0, 0);
}
static inline uint16_t mbuf_port(const struct rte_mbuf *m) { return m->port; }

static const uint64_t mbuf_tx_ipv4 = RTE_MBUF_F_TX_IPV4;
static const uint64_t mbuf_tx_ipv6 = RTE_MBUF_F_TX_IPV6;
static const uint64_t mbuf_tx_ip_cksum = RTE_MBUF_F_TX_IP_CKSUM;
static const uint64_t mbuf_tx_udp_cksum = RTE_MBUF_F_TX_UDP_CKSUM;

// pool

// `dense`: buffers may cross pages whose IO addresses do not follow each other, which only devices of software can take; so no
// room is lost before the ends of ordinary pages, and the pool is one area.
struct rte_mempool *pool_create(
    const char *name, uint32_t count, uint32_t cache, uint16_t data_room, int socket, int dense);
// Areas of memory that the pool consists of.
static inline uint32_t pool_areas(const struct rte_mempool *pool) { return pool->nb_mem_chunks; }
static inline uint32_t pool_available(const struct rte_mempool *pool) { return rte_mempool_avail_count(pool); }
static inline uint32_t pool_size(const struct rte_mempool *pool) { return pool->size; }

// port

static inline uint16_t port_rx_burst(uint16_t port, uint16_t queue, void *burst, uint16_t capacity) {
    return rte_eth_rx_burst(port, queue, (struct rte_mbuf **)burst, capacity);
}
static inline uint16_t port_tx_burst(uint16_t port, uint16_t queue, void *burst, uint16_t count) {
    return rte_eth_tx_burst(port, queue, (struct rte_mbuf **)burst, count);
}

// Over-aligned or bit-field members of ethdev's configuration structs.
static inline int port_link_is_up(uint16_t port) {
    struct rte_eth_link link;
    memset(&link, 0, sizeof(link));
    return rte_eth_link_get_nowait(port, &link) == 0 && link.link_status;
}
// Whether an interface of the kernel, in the caller's network namespace, is up and has a carrier (netdevice(7)).
int interface_is_running(const char *name);
// A rule (rte_flow) that brings UDP packets to ports of which `mask`'s bits are `value`'s to a queue; its attributes are
// bit-fields. `commit` 0 only asks the device whether it would take it. 0, or a negative errno.
int port_steer_udp(uint16_t port, int is_v4, uint16_t value, uint16_t mask, uint16_t queue, int commit);
static inline void port_forget_rules(uint16_t port) { rte_flow_flush(port, NULL); }
static inline uint32_t port_link_speed(uint16_t port) {
    struct rte_eth_link link;
    memset(&link, 0, sizeof(link));
    return rte_eth_link_get_nowait(port, &link) == 0 ? link.link_speed : 0;
}

static const uint64_t port_tx_ipv4_cksum = RTE_ETH_TX_OFFLOAD_IPV4_CKSUM;
static const uint64_t port_tx_udp_cksum = RTE_ETH_TX_OFFLOAD_UDP_CKSUM;
// IP addresses, and UDP ports where the packet is no fragment.
static const uint64_t port_rss_ip_udp =
    RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_IPV6 | RTE_ETH_RSS_NONFRAG_IPV4_UDP | RTE_ETH_RSS_NONFRAG_IPV6_UDP;

// time and the processor

static inline uint64_t tsc_read(void) { return rte_rdtsc(); }
static inline void cpu_pause(void) { rte_pause(); }
static inline void cpu_prefetch(const void *address) { rte_prefetch0(address); }
static inline int eal_errno(void) { return rte_errno; }

// threads

// Whether the calling thread may run on the core, numbered as Linux does.
int thread_may_run_on(int core);
// Pins the calling thread; 0 or an errno.
int thread_pin(int core);
// Names the calling thread, at most 15 characters.
void thread_set_name(const char *name);
