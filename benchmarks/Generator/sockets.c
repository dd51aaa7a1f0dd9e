#define _GNU_SOURCE
#include "generator.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { BURST = 64, BUFFER = 16 << 20 };

struct sockaddr_in address(const char *text, unsigned port) {
    struct sockaddr_in result = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    if (inet_pton(AF_INET, text, &result.sin_addr) != 1) fail("%s is no IPv4 address", text);
    return result;
}

/// Reads all that waits.
static void drain(struct watch *watch, uint32_t events, uint64_t now) {
    static uint8_t bytes[BURST][DATAGRAM];
    static struct iovec vectors[BURST];
    static struct mmsghdr messages[BURST];
    struct udp *udp = (struct udp *)watch;
    int count;
    (void)events;
    do {
        for (int i = 0; i < BURST; i++) {
            vectors[i] = (struct iovec){bytes[i], DATAGRAM};
            messages[i].msg_hdr = (struct msghdr){.msg_iov = &vectors[i], .msg_iovlen = 1};
        }
        count = recvmmsg(watch->fd, messages, BURST, MSG_DONTWAIT, NULL);
        for (int i = 0; i < count; i++) udp->receive(udp->owner, bytes[i], messages[i].msg_len, now);
    } while (count == BURST);
}

void udp_open(struct udp *udp, int epoll, const struct sockaddr_in *local, const struct sockaddr_in *remote) {
    int size = BUFFER;
    udp->watch.ready = drain;
    udp->watch.fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (udp->watch.fd < 0) fail("socket: %s", strerror(errno));
    // Root may pass the system's limit, so that a moment without the core is no loss.
    if (setsockopt(udp->watch.fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0) {
        fail("SO_RCVBUFFORCE: %s", strerror(errno));
    }
    if (bind(udp->watch.fd, (const struct sockaddr *)local, sizeof *local) < 0) fail("bind: %s", strerror(errno));
    if (remote && connect(udp->watch.fd, (const struct sockaddr *)remote, sizeof *remote) < 0) {
        fail("connect: %s", strerror(errno));
    }
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &udp->watch};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, udp->watch.fd, &event) < 0) fail("epoll_ctl: %s", strerror(errno));
}

void udp_send(struct udp *udp, const void *bytes, size_t length) {
    // What a full socket loses here is a request, which is repeated.
    (void)!send(udp->watch.fd, bytes, length, MSG_DONTWAIT);
}

unsigned batch_send(struct batch *batch, struct udp *udp) {
    struct iovec vectors[32];
    struct mmsghdr messages[32] = {0};
    for (unsigned i = 0; i < batch->count; i++) {
        vectors[i] = (struct iovec){batch->bytes[i], batch->lengths[i]};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &vectors[i], .msg_iovlen = 1};
    }
    int sent = batch->count ? sendmmsg(udp->watch.fd, messages, batch->count, MSG_DONTWAIT) : 0;
    batch->count = 0;
    return sent > 0 ? (unsigned)sent : 0;
}
