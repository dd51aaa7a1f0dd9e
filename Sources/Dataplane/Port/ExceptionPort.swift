import Wire

/// The kernel's interface on the port: a second device of DPDK, whose kernel side has the port's MAC address, so that
/// frames pass between the two unchanged.
public enum ExceptionPort {
    /// Packet buffers of its own: frames that wait for the kernel, or come from it, take none of the workers'.
    static let buffers = 2_047
    static let descriptors = 256

    /// What to make for `text`, which is a device with its arguments (`net_tap1,iface=nt0`,
    /// `net_virtio_user0,path=/dev/vhost-net,iface=nt0`) or only the name of the kernel's interface (`nt0`: a TAP).
    public static func configuration(_ text: String, mac: MACAddress, mtu: Int) -> DPDKPort.Configuration {
        var device = text.hasPrefix("net_") ? text : "net_tap_exception,iface=\(text)"
        if DeviceArguments(device)["mac"] == nil { device += ",mac=\(mac)" }
        return DPDKPort.Configuration(
            device: device, workers: 1, mtu: mtu, descriptors: descriptors, buffers: buffers)
    }

    /// The kernel's name of the interface that `text` makes; nil when it does not say, or when the kernel would refuse
    /// it (IFNAMSIZ).
    public static func interface(_ text: String) -> String? {
        let name = text.hasPrefix("net_") ? DeviceArguments(text)["iface"] : text
        guard let name, (1...15).contains(name.utf8.count), name != ".", name != "..",
            name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && !"/:,=%".utf8.contains($0) })
        else { return nil }
        return name
    }
}
