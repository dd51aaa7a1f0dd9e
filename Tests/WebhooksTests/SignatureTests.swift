import Meetings
import TestSupport
import Testing

@testable import Webhooks

@Suite struct WebhookSignatures {
    private static let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

    /// The vector that the libraries of Standard Webhooks test themselves by.
    @Test func theSpecificationsVectorIsSigned() throws {
        let signature = WebhookSignature(
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek", body: "{\"test\": 2432232314}",
            at: Timestamp(milliseconds: 1_614_265_330_999), by: [try #require(WebhookSecret(Self.secret))])
        #expect(signature.signatures == ["v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="])
        #expect(signature.fields.map(\.name) == ["webhook-id", "webhook-timestamp", "webhook-signature"])
        #expect(signature.fields[1].value == "1614265330")
    }

    @Test func eachSecretSignsWhileTheyAreChanged() throws {
        let other = try #require(WebhookSecret("whsec_" + String(repeating: "QUJD", count: 10)))
        let secrets = [other, try #require(WebhookSecret(Self.secret))]
        let now = Timestamp(milliseconds: 1_614_265_330_000)
        let both = WebhookSignature(id: "a_1", body: "{}", at: now, by: secrets)
        let alone = secrets.map { WebhookSignature(id: "a_1", body: "{}", at: now, by: [$0]).signatures[0] }
        #expect(both.signatures == alone && alone[0] != alone[1])
        #expect(both.fields[2].value == alone.joined(separator: " "))
        let changed = WebhookSignature(id: "a_1", body: "{ }", at: now, by: secrets)
        #expect(changed.signatures[0] != both.signatures[0])
    }

    @Test(arguments: [
        "", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa", "whsec_!!!!",
        "whsec_" + String(repeating: "QUJD", count: 22), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n",
    ])
    func whatIsNoSecretIsRefused(_ text: String) {
        #expect(WebhookSecret(text) == nil)
    }

    @Test func aSecretIsNotPrinted() throws {
        #expect("\(try #require(WebhookSecret(Self.secret)))" == "WebhookSecret")
    }
}
