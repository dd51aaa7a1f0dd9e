/**
 * Addresses of signaling sockets, and what is at them.
 */

/** The way to the meeting in an answer, null where there is none. */
export function elsewhereIn({ code, signaling_url: first, alternates, via }) {
  if (code !== "elsewhere" || typeof first !== "string") return null;
  const addresses = [first, ...(Array.isArray(alternates) ? alternates : [])].filter((text) => /^wss?:\/\//.test(text));
  return { addresses: addresses.filter((text) => URL.canParse(text)).map(addressOf), via: Array.isArray(via) ? via : [] };
}

/** The origin of REST beside a socket, "" for the page's own. */
export function serviceOf(address) {
  const { origin } = new URL(address.replace(/^ws/, "http"));
  return origin === new URL(location.href).origin ? "" : origin;
}

/** A path or address as that of a WebSocket. */
export function addressOf(text) {
  const url = new URL(text, location.href);
  url.protocol = url.protocol.replace(/^http/, "ws");
  return url.href;
}
