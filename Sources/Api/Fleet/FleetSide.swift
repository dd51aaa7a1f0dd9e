import Conference
import Fleet

/// What a PoP shares its meetings with others by.
public struct FleetSide: Sendable {
    /// This start of the PoP, as the Registry knows it.
    public var instance: PoPInstance
    /// The media side's Trunks to other PoPs.
    public var trunks: any TrunkPlane

    public init(instance: PoPInstance, trunks: any TrunkPlane) {
        self.instance = instance
        self.trunks = trunks
    }
}
