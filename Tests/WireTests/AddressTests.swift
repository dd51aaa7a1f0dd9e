import TestSupport
import Testing
import Wire

@Suite struct AddressTests {
    @Test(arguments: [
        "0.0.0.0", "127.0.0.1", "255.255.255.255", "::", "::1", "2001:db8::1", "fe80::1:2:3:4", "ff02::1:ff00:1",
    ])
    func addressTextComesBack(_ text: String) throws {
        #expect(IPAddress(text)?.description == text)
    }

    @Test(arguments: ["", "1.2.3", "1.2.3.4.5", "1.2.3.256", "fe80::1%eth0", "1:2", "::g", " 1.2.3.4"])
    func otherTextIsNoAddress(_ text: String) { #expect(IPAddress(text) == nil) }

    @Test func mappedTextIsTheIPv4Address() { #expect(IPAddress("::ffff:192.0.2.1") == IPAddress(v4: 0xc000_0201)) }

    @Test func endpointsInBothFamilies() throws {
        let v4 = try #require(Endpoint("192.0.2.1:3478"))
        #expect(v4 == Endpoint(address: IPAddress(v4: 0xc000_0201), port: 3478))
        #expect(v4.description == "192.0.2.1:3478")
        #expect(Endpoint("[2001:db8::1]:5")?.description == "[2001:db8::1]:5")
        for wrong in ["2001:db8::1:5", "[192.0.2.1]:5", "192.0.2.1", "192.0.2.1:65536", "192.0.2.1:", ":5"] {
            #expect(Endpoint(wrong) == nil, "\(wrong)")
        }
    }

    @Test func propertiesOfAddresses() throws {
        func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }
        #expect(try address("224.0.0.1").isMulticast && !address("223.255.255.255").isMulticast)
        #expect(try address("ff02::1").isMulticast && !address("fe80::1").isMulticast)
        #expect(try address("169.254.1.1").isLinkLocal && address("fe80::1").isLinkLocal)
        #expect(try address("febf::1").isLinkLocal && !address("fec0::1").isLinkLocal)
        #expect(try address("127.1.2.3").isLoopback && address("::1").isLoopback && !address("::2").isLoopback)
        #expect(try address("0.0.0.0").isUnspecified && address("::").isUnspecified)
        #expect(try address("2001:db8::aa:bbcc:ddee").solicitedNodeGroup == address("ff02::1:ffcc:ddee"))
    }

    @Test(arguments: [
        ("10.1.2.3", "10.1.0.0", 16, true), ("10.2.2.3", "10.1.0.0", 16, false), ("10.1.2.3", "10.1.2.3", 32, true),
        ("10.1.2.4", "10.1.2.3", 32, false), ("8.8.8.8", "0.0.0.0", 0, true), ("2001:db8::1", "0.0.0.0", 0, false),
        ("2001:db8::1", "2001:db8::", 64, true), ("2001:db8:0:1::1", "2001:db8::", 64, false),
        ("2001:db8:0:1::1", "2001:db8::", 63, true), ("2001:db8::1", "::", 0, true),
        ("2001:db8::8000:0:0:1", "2001:db8::", 65, false), ("2001:db8::1", "2001:db8::1", 128, true),
    ])
    func prefixes(_ address: String, _ network: String, _ length: Int, _ inside: Bool) throws {
        let network = try #require(IPAddress(network))
        #expect(IPAddress(address)?.isInside(network, prefixLength: length) == inside)
    }

    @Test func macAddressText() throws {
        let mac = try #require(MACAddress("52:54:00:12:34:0f"))
        #expect(mac.bits == 0x5254_0012_340f)
        #expect(mac.description == "52:54:00:12:34:0f")
        for wrong in ["52:54:00:12:34", "52:54:00:12:34:5", "52:54:00:12:34:+f", "52-54-00-12-34-56", ""] {
            #expect(MACAddress(wrong) == nil, "\(wrong)")
        }
    }

    @Test func macAddressProperties() throws {
        #expect(MACAddress.broadcast.isMulticast && !MACAddress(0x5254_0012_3456).isMulticast)
        let group = try #require(IPAddress("ff02::1:ff12:3456"))
        #expect(MACAddress(multicast: group).description == "33:33:ff:12:34:56")
    }

    @Test func rawBytesOfAddressesAndIntegers() {
        let text = "20010db8 00000000 00000000 00000001 c0000201 525400123456"
        with(text) { raw in
            let base = raw.baseAddress!
            #expect(IPAddress(loadV6: base).description == "2001:db8::1")
            #expect(IPAddress(loadV4: base, at: 16).description == "192.0.2.1")
            #expect(base.u8(1) == 0x01 && base.be16(1) == 0x010d && base.be24(1) == 0x010db8)
            #expect(base.be32(1) == 0x010d_b800 && base.be64(1) == 0x010d_b800_0000_0000)
            let copy = written(raw.count) { block in
                let target = block.baseAddress!
                IPAddress(loadV6: base).storeV6(to: target)
                IPAddress(loadV4: base, at: 16).storeV4(to: target, at: 16)
                MACAddress(load: base, at: 20).store(to: target, at: 20)
                return block.count
            }
            #expect(copy == bytes(text))
        }
        let integers = written(18) { block in
            let target = block.baseAddress!
            target.setU8(1, at: 0)
            target.setBE16(0x0203, at: 1)
            target.setBE24(0xff04_0506, at: 3)
            target.setBE32(0x0708_090a, at: 6)
            target.setBE64(0x0b0c_0d0e_0f10_1112, at: 10)
            return 18
        }
        #expect(integers == Array(1...18))
    }

    @Test func ownerUfragTextComesBack() {
        var random = SplitMix(seed: 7)
        for _ in 0..<100 {
            let owner = OwnerUfrag(
                pop: random.next(), worker: random.next(), index: random.next(), secret: random.next())
            #expect(owner.text.utf8.count == OwnerUfrag.length)
            with(Array(owner.text.utf8)) { #expect(OwnerUfrag($0) == owner) }
        }
        with(Array("AAAAAAAAAAAAAAA:".utf8)) { #expect(OwnerUfrag($0) == nil) }
        with(Array("AAAAAAAAAAAAAAA".utf8)) { #expect(OwnerUfrag($0) == nil) }
    }
}
