/** What a real libvirtd sent; `about` in the file says which. */
import { readFileSync } from 'node:fs';
import { XdrWriter } from '../../src/libvirt/xdr.ts';

interface Recording {
  readonly replies: Readonly<Record<string, string>>;
  readonly errors: Readonly<Record<string, string>>;
  readonly events: readonly { readonly procedure: number; readonly payload: string }[];
}

const file = new URL('../fixtures/libvirt/replies.json', import.meta.url);
const recording: Recording = JSON.parse(readFileSync(file, 'utf8'));

function bytes(table: Readonly<Record<string, string>>, name: string): Buffer {
  const text = table[name];
  if (text === undefined) throw new Error(`nothing is recorded as ${name}`);
  return Buffer.from(text, 'base64');
}

export const recorded = {
  reply: (name: string): Buffer => bytes(recording.replies, name),
  errors: {
    noDomain: bytes(recording.errors, 'noDomain'),
    unknownProcedure: bytes(recording.errors, 'unknownProcedure'),
  },
  events: recording.events.map(({ procedure, payload }) => ({ procedure, payload: Buffer.from(payload, 'base64') })),
};

/** The payload of an error with this number and text. */
export function errorPayload(number: number, message: string): Buffer {
  const writer = new XdrWriter();
  writer
    .int(number)
    .int(10)
    .optional(message, () => writer.string(message))
    .int(2);
  return writer.bool(false).bool(false).bool(false).bool(false).int(0).int(0).bool(false).finish();
}
