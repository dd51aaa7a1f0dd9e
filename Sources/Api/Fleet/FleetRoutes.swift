import Hummingbird

/// `/api/v1/fleet` of the `ops` listener: the PoPs, as this one knows them (documentation, REST).
struct FleetRoutes: Sendable {
    /// Nil without a fleet.
    let member: FleetMember?

    func add(to router: Router<BasicRequestContext>) {
        router.get("api/v1/fleet") { _, _ in
            guard let member else {
                throw Problem(404, "no_fleet", "This node is of no fleet: its configuration has no fleet section.")
            }
            return Response.json(FleetJSON(await member.fleet))
        }
    }
}
