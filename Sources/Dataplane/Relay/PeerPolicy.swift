import Wire

/// Which peers clients may reach through us (RFC 8656 section 21.2): never those that a client could not reach
/// directly, in whatever form their address is written.
struct PeerPolicy: ~Copyable {
    private let prefixes: UnsafeMutablePointer<RelayConfiguration.Prefix>
    private let allowedCount: Int
    private let count: Int

    init(allowed: [RelayConfiguration.Prefix], refused: [RelayConfiguration.Prefix]) {
        let all = allowed + refused
        prefixes = .allocate(capacity: max(all.count, 1))
        for (index, prefix) in all.enumerated() { (prefixes + index).initialize(to: prefix) }
        allowedCount = allowed.count
        count = all.count
    }

    deinit { prefixes.deallocate() }

    /// `address` as a client named it.
    func allows(_ address: IPAddress) -> Bool {
        for index in 0..<allowedCount where isInside(address, index) { return true }
        return !isRefused(address, depth: 0)
    }

    private func isInside(_ address: IPAddress, _ index: Int) -> Bool {
        address.isInside(prefixes[index].address, prefixLength: prefixes[index].length)
    }

    private func isRefused(_ address: IPAddress, depth: Int) -> Bool {
        for index in allowedCount..<count where isInside(address, index) { return true }
        if address.isV4 { return Self.isSpecial(address.v4) }
        return isSpecialV6(address) || hidesRefused(address, depth: depth)
    }

    /// The IANA IPv4 special-purpose registry (RFC 6890): what is not global unicast.
    private static func isSpecial(_ address: UInt32) -> Bool {
        switch address >> 24 {
        // This network, private, loopback, multicast, reserved and broadcast.
        case 0, 10, 127, 224...255: return true
        // Shared between a carrier and its customers (RFC 6598).
        case 100: return address >> 22 == 0x6440_0000 >> 22
        // Link-local.
        case 169: return address >> 16 == 0xa9fe
        case 172: return address >> 20 == 0xac1
        // Private; IETF protocol assignments, documentation (RFC 5737), the 6to4 relay anycast (RFC 7526).
        case 192:
            return address >> 16 == 0xc0a8 || address >> 8 == 0xc0_0000 || address >> 8 == 0xc0_0002
                || address >> 8 == 0xc0_5863
        // Benchmarks (RFC 2544), documentation.
        case 198: return address >> 17 == 0xc612_0000 >> 17 || address >> 8 == 0xc6_3364
        case 203: return address >> 8 == 0xcb_0071
        default: return false
        }
    }

    private func isSpecialV6(_ address: IPAddress) -> Bool {
        switch address.high >> 48 {
        // Unspecified, loopback, IPv4-compatible (RFC 4291 section 2.5.5.1) and all else in ::/16.
        case 0: return true
        // Discard-only (RFC 6666).
        case 0x0100: return true
        // Unique local, link-local and site-local, multicast.
        case 0xfc00...0xfdff, 0xfe80...0xfeff, 0xff00...0xffff: return true
        // Local-use translation (RFC 8215).
        case 0x0064: return address.high >> 16 == 0x0064_ff9b_0001
        // Documentation (RFC 3849, RFC 9637), benchmarks, ORCHIDs.
        case 0x2001:
            let second = address.high >> 32 & 0xffff
            return second == 0x0db8 || second == 0x0002 || second >> 4 == 0x001 || second >> 4 == 0x002
        case 0x3fff: return address.high >> 44 == 0x3fff0
        default: return false
        }
    }

    /// IPv4 addresses inside IPv6 ones: translators and tunnels would take the packet there.
    private func hidesRefused(_ address: IPAddress, depth: Int) -> Bool {
        guard depth == 0 else { return false }
        func isRefusedV4(_ bits: UInt64) -> Bool {
            isRefused(IPAddress(v4: UInt32(truncatingIfNeeded: bits)), depth: 1)
        }
        // NAT64 (RFC 6052).
        if address.high == 0x0064_ff9b_0000_0000 && address.low >> 32 == 0 { return isRefusedV4(address.low) }
        // 6to4 (RFC 3056).
        if address.high >> 48 == 0x2002 { return isRefusedV4(address.high >> 16) }
        // Teredo: its server, and its client with all bits turned (RFC 4380 section 4).
        if address.high >> 32 == 0x2001_0000 { return isRefusedV4(address.high) || isRefusedV4(~address.low) }
        // ISATAP (RFC 5214 section 6.1).
        if address.low >> 32 & 0xfcff_ffff == 0x0000_5efe { return isRefusedV4(address.low) }
        return false
    }
}
