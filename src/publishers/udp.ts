/** `udp://host:port`: each sample is a datagram of msgpack. Nobody tells whether it arrived. */
import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { DeliveryError, describeError } from '../errors.ts';
import { hostAndPort, UrlOptions } from '../pipeline/publisher-url.ts';
import type { Host, Publisher, PublisherUrl } from '../plugin.ts';
import { createDropLog } from '../util/drop-log.ts';
import { packed } from './msgpack.ts';
import { createMeterMessages } from './records.ts';

const DEFAULT_PORT = 4952;

export function udpPublisher(url: PublisherUrl, { config, log }: Host): Publisher {
  new UrlOptions(url).refuseOthers();
  const target = hostAndPort(url, DEFAULT_PORT);
  const toMessage = createMeterMessages(config.publisher.telemetrySecret);
  const drops = createDropLog(log, 'a sample could not be sent as a datagram and is lost');
  const sockets = new Map<number, Socket>();

  function socketFor(family: number): Socket {
    const known = sockets.get(family);
    if (known !== undefined) return known;
    const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
    // What fails is told to the callback of each send.
    socket.on('error', () => {});
    sockets.set(family, socket);
    return socket;
  }

  return {
    async publishSamples(batch) {
      const { address, family } = await lookup(target.host).catch((error: unknown) => {
        throw new DeliveryError(`cannot resolve ${target.host}`, { cause: error, retryable: true });
      });
      const socket = socketFor(family);
      const send = (data: Uint8Array) =>
        new Promise<void>((resolve, reject) =>
          socket.send(data, target.port, address, (error) => (error === null ? resolve() : reject(error))),
        );
      for (const sample of batch) {
        try {
          await send(packed(toMessage(sample)));
        } catch (error) {
          // What is too large, or has no form in msgpack, will be so the next time: the others go on without it.
          const reason = describeError(error);
          drops.note(reason, { publisher: url.shown, meter: sample.name, reason });
        }
      }
    },
    async close() {
      await Promise.all([...sockets.values()].map((socket) => new Promise<void>((resolve) => socket.close(resolve))));
    },
  };
}
