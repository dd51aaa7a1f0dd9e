#define _GNU_SOURCE
#include "people.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/// More than the largest message that a server sends.
enum { INPUT = 4 << 20 };

static void watch_for(struct tcp *tcp, uint32_t events, int operation) {
    struct epoll_event event = {.events = events, .data.ptr = &tcp->watch};
    if (epoll_ctl(tcp->epoll, operation, tcp->watch.fd, &event) < 0) fail("epoll_ctl: %s", strerror(errno));
}

/// How much of it the kernel takes now; a connection that is not open yet takes nothing.
static size_t offer(struct tcp *tcp, const uint8_t *bytes, size_t length) {
    size_t taken = 0;
    while (taken < length) {
        ssize_t sent = send(tcp->watch.fd, bytes + taken, length - taken, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) break;
        if (sent < 0) fail("send: %s", strerror(errno));
        taken += (size_t)sent;
    }
    return taken;
}

static void push(struct tcp *tcp) {
    size_t sent = offer(tcp, tcp->output, tcp->output_length);
    tcp->output_length -= sent;
    memmove(tcp->output, tcp->output + sent, tcp->output_length);
    if (tcp->output_length == 0) watch_for(tcp, EPOLLIN, EPOLL_CTL_MOD);
}

/// Puts what came in behind what was left, and keeps what the owner leaves now.
static void pull(struct tcp *tcp, uint64_t now) {
    static uint8_t bytes[INPUT];
    size_t length = tcp->input_length, taken = 0;
    if (length > 0) memcpy(bytes, tcp->input, length);
    ssize_t count = recv(tcp->watch.fd, bytes + length, INPUT - length, MSG_DONTWAIT);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) return tcp->closed(tcp->owner, count < 0 ? strerror(errno) : "end of stream");
    length += (size_t)count;
    tcp->input_length = 0;
    // The owner may close the stream while it takes, and open another one.
    unsigned serial = tcp->serial;
    for (size_t step = 1; step > 0 && taken < length && tcp->serial == serial; taken += step) {
        step = tcp->take(tcp->owner, bytes + taken, length - taken, now);
    }
    if (tcp->serial != serial || taken == length) return;
    if (taken == 0 && length == INPUT) fail("a message is longer than %d bytes", INPUT);
    tcp->input_length = length - taken;
    tcp->input = realloc(tcp->input, tcp->input_length);
    memcpy(tcp->input, bytes + taken, tcp->input_length);
}

static void ready(struct watch *watch, uint32_t events, uint64_t now) {
    struct tcp *tcp = (struct tcp *)watch;
    if (events & EPOLLOUT && !(events & EPOLLERR)) push(tcp);
    if (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) pull(tcp, now);
}

void tcp_open(struct tcp *tcp, int epoll, const struct sockaddr_in *local, const struct sockaddr_in *remote) {
    int yes = 1;
    tcp->epoll = epoll;
    tcp->watch.ready = ready;
    tcp->watch.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (tcp->watch.fd < 0) fail("socket: %s", strerror(errno));
    setsockopt(tcp->watch.fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    // The kernel chooses the port.
    setsockopt(tcp->watch.fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
    if (bind(tcp->watch.fd, (const struct sockaddr *)local, sizeof *local) < 0) fail("bind: %s", strerror(errno));
    if (connect(tcp->watch.fd, (const struct sockaddr *)remote, sizeof *remote) < 0 && errno != EINPROGRESS) {
        fail("connect: %s", strerror(errno));
    }
    watch_for(tcp, EPOLLIN, EPOLL_CTL_ADD);
}

void tcp_send(struct tcp *tcp, const uint8_t *bytes, size_t length) {
    size_t sent = tcp->output_length > 0 ? 0 : offer(tcp, bytes, length);
    if (sent == length) return;
    if (tcp->output_length == 0) watch_for(tcp, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
    tcp->output = realloc(tcp->output, tcp->output_length + length - sent);
    memcpy(tcp->output + tcp->output_length, bytes + sent, length - sent);
    tcp->output_length += length - sent;
}

void tcp_close(struct tcp *tcp) {
    close(tcp->watch.fd);
    free(tcp->input);
    free(tcp->output);
    tcp->input = tcp->output = NULL;
    tcp->input_length = tcp->output_length = 0;
    tcp->serial++;
}
