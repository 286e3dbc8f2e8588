/** What tooz keeps with each member: `{"weight": 1}` in msgpack. All of Ceilometer's members have this weight. */
export const CAPABILITIES = Buffer.concat([Buffer.of(0x81, 0xa6), Buffer.from('weight'), Buffer.of(0x01)]);
