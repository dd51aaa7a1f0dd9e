// What Swift cannot import of packet sockets (packet(7)): the structs of sendmmsg(2) and ppoll(2), which are GNU's, requests
// of netdevice(7), whose struct is a union, and what Debian's headers of the kernel do not have yet. Each function is one call.
#pragma once

#include <errno.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <poll.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

// UDP segmentation offload by the kernel or the device, since Linux 6.2 (linux/virtio_net.h).
static const uint8_t virtio_net_hdr_gso_udp_l4 = 5;

// A group's own PACKET_IGNORE_OUTGOING; older kernels do not look at it.
static const int32_t packet_fanout_flag_ignore_outgoing = 0x4000;

// `struct mmsghdr`.
struct packet_message {
    struct msghdr header;
    unsigned int sent;
};

// An interface of the kernel in the caller's network namespace.
struct packet_interface {
    int index;
    // ARPHRD_ETHER is 1.
    int hardware;
    int mtu;
    uint8_t mac[6];
};

// 0, or a negative errno.
int packet_interface_read(const char *name, struct packet_interface *interface);

// A packet socket that receives nothing yet; a negative errno.
int packet_socket_open(void);
// Receives what comes in by the interface, of protocol 0 (an EtherType in host order) nothing. 0, or a negative errno.
int packet_socket_bind(int handle, int interface, uint16_t protocol);
// Sends without waiting: how many of the messages, or a negative errno of the first.
int packet_socket_send(int handle, struct packet_message *messages, unsigned int count);
// Waits until one of `handles` is ready, at most so long, whatever signals come.
void packet_socket_wait(struct pollfd *handles, unsigned int count, uint64_t nanoseconds);
