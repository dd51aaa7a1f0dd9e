// What a server cannot do without that tells many people of something: a write to each of their sockets.
#define _GNU_SOURCE
#include "people.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

static struct watch listener;
static int accepted[MAXIMUM_PEOPLE];
static unsigned accepted_count;
static struct tcp readers[MAXIMUM_PEOPLE];

static void accept_all(struct watch *watch, uint32_t events, uint64_t now) {
    int fd;
    (void)events, (void)now;
    while (accepted_count < MAXIMUM_PEOPLE && (fd = accept4(watch->fd, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        accepted[accepted_count++] = fd;
    }
}

void writes_listen(int epoll, const struct sockaddr_in *local) {
    int yes = 1;
    listener = (struct watch){socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), accept_all};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &listener};
    setsockopt(listener.fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener.fd, (const struct sockaddr *)local, sizeof *local) < 0 ||
        listen(listener.fd, MAXIMUM_PEOPLE) < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener.fd, &event) < 0) {
        fail("listen: %s", strerror(errno));
    }
}

static size_t swallow(void *owner, uint8_t *bytes, size_t length, uint64_t now) {
    (void)owner, (void)bytes, (void)now;
    return length;
}

static void closed(void *owner, const char *why) {
    (void)why;
    tcp_close(owner);
}

void writes_read(int epoll, unsigned count, const struct sockaddr_in *local, const struct sockaddr_in *remote) {
    for (unsigned i = 0; i < count && i < MAXIMUM_PEOPLE; i++) {
        readers[i] = (struct tcp){.owner = &readers[i], .take = swallow, .closed = closed};
        tcp_open(&readers[i], epoll, local, remote);
    }
}

void writes_write(unsigned bytes) {
    static uint8_t message[DATAGRAM];
    for (unsigned i = 0; i < accepted_count; i++) {
        if (send(accepted[i], message, bytes, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) fail("send: %s", strerror(errno));
    }
    printf("{\"written\":%u}\n", accepted_count);
}
