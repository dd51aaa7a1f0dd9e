#define _GNU_SOURCE
#include "CPacketSocket.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

_Static_assert(
    sizeof(struct packet_message) == sizeof(struct mmsghdr) &&
        offsetof(struct packet_message, sent) == offsetof(struct mmsghdr, msg_len),
    "a message is a struct mmsghdr");

int packet_interface_read(const char *name, struct packet_interface *interface) {
    struct ifreq request;
    memset(&request, 0, sizeof(request));
    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    int handle = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (handle < 0) return -errno;
    int error = 0;
    if (ioctl(handle, SIOCGIFINDEX, &request) < 0) error = -errno;
    interface->index = request.ifr_ifindex;
    if (error == 0 && ioctl(handle, SIOCGIFMTU, &request) < 0) error = -errno;
    interface->mtu = request.ifr_mtu;
    if (error == 0 && ioctl(handle, SIOCGIFHWADDR, &request) < 0) error = -errno;
    interface->hardware = request.ifr_hwaddr.sa_family;
    memcpy(interface->mac, request.ifr_hwaddr.sa_data, sizeof(interface->mac));
    close(handle);
    return error;
}

int packet_socket_open(void) {
    int handle = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    return handle < 0 ? -errno : handle;
}

int packet_socket_bind(int handle, int interface, uint16_t protocol) {
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET, .sll_protocol = htons(protocol), .sll_ifindex = interface};
    return bind(handle, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
}

int packet_socket_send(int handle, struct packet_message *messages, unsigned int count) {
    int sent = sendmmsg(handle, (struct mmsghdr *)messages, count, MSG_DONTWAIT);
    return sent < 0 ? -errno : sent;
}

void packet_socket_wait(struct pollfd *handles, unsigned int count, uint64_t nanoseconds) {
    struct timespec timeout = {(time_t)(nanoseconds / 1000000000), (long)(nanoseconds % 1000000000)};
    ppoll(handles, count, &timeout, NULL);
}
