/** Message ids as bytes: a UUID takes sixteen, anything else is its text behind a prefix that no UUID has. */

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const UUID_BYTES = 16;

export function idBytes(id: string): Buffer {
  if (UUID.test(id)) return Buffer.from(id.replaceAll('-', ''), 'hex');
  const text = Buffer.from(id, 'utf8');
  // The first byte says how much padding follows, so that the whole never has the length of a UUID.
  const padding = Math.max(0, UUID_BYTES - text.length);
  return Buffer.concat([Buffer.of(padding), Buffer.alloc(padding), text]);
}

export function idText(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length !== UUID_BYTES) return buffer.toString('utf8', 1 + (bytes[0] ?? 0));
  const hex = buffer.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
