// GNU's affinity calls are hidden from Swift's importer, which does not define this.
#define _GNU_SOURCE
#include "CDPDK.h"

#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

int thread_may_run_on(int core) {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (core < 0 || core >= CPU_SETSIZE || sched_getaffinity(0, sizeof(set), &set) != 0) return 0;
    return CPU_ISSET(core, &set) != 0;
}

int thread_pin(int core) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    return pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
}

void thread_set_name(const char *name) { pthread_setname_np(pthread_self(), name); }

// As rte_pktmbuf_pool_create, which has no flags.
static struct rte_mempool *pool_create_dense(
    const char *name, uint32_t count, uint32_t cache, uint16_t data_room, int socket) {
    struct rte_pktmbuf_pool_private layout = {
        .mbuf_data_room_size = data_room,
        .mbuf_priv_size = MBUF_PRIVATE_SIZE,
    };
    unsigned element = sizeof(struct rte_mbuf) + MBUF_PRIVATE_SIZE + data_room;
    struct rte_mempool *pool = rte_mempool_create_empty(
        name, count, element, cache, sizeof(layout), socket, RTE_MEMPOOL_F_NO_IOVA_CONTIG);
    if (pool == NULL) return NULL;
    int result = rte_mempool_set_ops_byname(pool, rte_mbuf_best_mempool_ops(), NULL);
    if (result == 0) {
        rte_pktmbuf_pool_init(pool, &layout);
        result = rte_mempool_populate_default(pool);
    }
    if (result < 0) {
        rte_mempool_free(pool);
        rte_errno = -result;
        return NULL;
    }
    rte_mempool_obj_iter(pool, rte_pktmbuf_init, NULL);
    return pool;
}

struct rte_mempool *pool_create(
    const char *name, uint32_t count, uint32_t cache, uint16_t data_room, int socket, int dense) {
    if (dense) return pool_create_dense(name, count, cache, data_room, socket);
    return rte_pktmbuf_pool_create(name, count, cache, MBUF_PRIVATE_SIZE, data_room, socket);
}

int interface_is_running(const char *name) {
    struct ifreq request;
    memset(&request, 0, sizeof(request));
    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    int handle = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (handle < 0) return 0;
    int answer = ioctl(handle, SIOCGIFFLAGS, &request);
    close(handle);
    return answer == 0 && (request.ifr_flags & IFF_UP) != 0 && (request.ifr_flags & IFF_RUNNING) != 0;
}

int port_steer_udp(uint16_t port, int is_v4, uint16_t value, uint16_t mask, uint16_t queue, int commit) {
    struct rte_flow_attr attributes = {.ingress = 1};
    struct rte_flow_item_udp wanted = {.hdr.dst_port = rte_cpu_to_be_16(value)};
    struct rte_flow_item_udp significant = {.hdr.dst_port = rte_cpu_to_be_16(mask)};
    struct rte_flow_item pattern[] = {
        {.type = RTE_FLOW_ITEM_TYPE_ETH},
        {.type = is_v4 ? RTE_FLOW_ITEM_TYPE_IPV4 : RTE_FLOW_ITEM_TYPE_IPV6},
        {.type = RTE_FLOW_ITEM_TYPE_UDP, .spec = &wanted, .mask = &significant},
        {.type = RTE_FLOW_ITEM_TYPE_END},
    };
    struct rte_flow_action_queue target = {.index = queue};
    struct rte_flow_action actions[] = {
        {.type = RTE_FLOW_ACTION_TYPE_QUEUE, .conf = &target},
        {.type = RTE_FLOW_ACTION_TYPE_END},
    };
    struct rte_flow_error error;
    memset(&error, 0, sizeof(error));
    if (!commit) return rte_flow_validate(port, &attributes, pattern, actions, &error);
    return rte_flow_create(port, &attributes, pattern, actions, &error) == NULL ? -rte_errno : 0;
}
