import Wire

/// What the first bytes decide: packet kind, DTLS records, ChannelData, owner of a user name fragment.
func fuzzDemultiplexing(_ input: UnsafeRawBufferPointer) {
    use(PacketKind(input).rawValue)
    var total = 0
    var records = DTLSRecords(input)
    while let record = records.next() {
        total += record.bytes.count
        use(record.fragment)
        use(record.sequence ^ UInt64(record.epoch))
    }
    precondition(total <= input.count && records.isComplete == (total == input.count))
    if let channel = ChannelData(input) { use(channel.payload) }
    if let owner = OwnerUfrag(input) {
        precondition(owner.text.utf8.elementsEqual(input.prefix(OwnerUfrag.length)))
    }
}
