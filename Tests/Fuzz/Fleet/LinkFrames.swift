@testable import Fleet

/// Bytes of a link, in pieces whose size is the first: what is read is written again as it was, and read as the same.
func fuzzLinkFrames(_ input: UnsafeRawBufferPointer) {
    guard let size = input.first.map({ Int($0) + 1 }) else { return }
    var decoder = LinkFrameDecoder(limit: 1_024)
    var rest = Array(input.dropFirst())[...]
    do throws(LinkFailure) {
        while !rest.isEmpty {
            let piece = rest.prefix(size)
            let taken = decoder.take(piece)
            precondition(taken <= piece.count && decoder.waiting <= 1_024 + 4)
            rest = rest.dropFirst(taken)
            while let frame = try decoder.next() {
                precondition(frame.body.count < 1_024)
                if let message = try? LinkMessage(frame) {
                    let again = try LinkMessage(message.frame)
                    precondition(again == message)
                }
                if let hello = try? LinkHello(frame) {
                    let again = try LinkHello(hello.frame)
                    precondition(again == hello)
                }
            }
        }
    } catch { use(error.description.utf8.count) }
}
