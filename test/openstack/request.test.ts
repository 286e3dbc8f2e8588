import { createServer as createTcpServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { type Answer, inTurn, json } from '../helpers/fake-openstack.ts';
import { cloudWith, SERVERS, servers, sessionOf, signal, testClock } from './support.ts';

const REPEATS = 40;

describe('a request', () => {
  it('reads integers beyond 2^53 exactly', async () => {
    const cloud = await cloudWith({ [SERVERS]: json('{"size": 9223372036854775807}') });

    const answer = await sessionOf(cloud).service('compute').get('/servers', { signal: signal() });

    expect(answer).toEqual({ size: 9223372036854775807n });
  });

  it.each(['GET', 'HEAD'] as const)('%s uses a connection that is there', async (method) => {
    const ports: (number | undefined)[] = [];
    const cloud = await cloudWith({
      [SERVERS]: (_asked, response) => {
        ports.push(response.socket?.remotePort);
        response.writeHead(204).end();
      },
    });
    const compute = sessionOf(cloud).service('compute');

    for (let times = 0; times < REPEATS; times += 1) await compute.request(method, '/servers', { signal: signal() });

    expect(ports).toHaveLength(REPEATS);
    // The pool may open another one while the last answer is still being closed.
    expect(new Set(ports).size).toBeLessThan(REPEATS / 4);
  });

  it('is repeated after a passing failure, with pauses that grow and differ', async () => {
    const cloud = await cloudWith({ [SERVERS]: inTurn(json({}, 503), json({}, 502), json({}, 504), json(servers)) });
    const clock = testClock();

    const answer = await sessionOf(cloud, {}, clock).service('compute').get('/servers', { signal: signal() });

    expect(answer).toEqual(servers);
    expect(clock.pauses).toEqual([250, 500, 1000]);
  });

  it.each([
    ['seconds', () => '7', 7250],
    ['a date', (now: number) => new Date(now + 7000).toUTCString(), 7250],
  ])('waits as long as Retry-After says in %s', async (_form, header, expected) => {
    const clock = testClock();
    const retryAfter = header(clock.now());
    const cloud = await cloudWith({ [SERVERS]: inTurn(json({}, 429, { 'retry-after': retryAfter }), json(servers)) });

    await sessionOf(cloud, {}, clock).service('compute').get('/servers', { signal: signal() });

    expect(clock.pauses).toHaveLength(1);
    expect(clock.pauses[0]).toBeGreaterThan(expected - 2000);
    expect(clock.pauses[0]).toBeLessThanOrEqual(expected);
  });

  it('is given up when Retry-After asks for longer than a cycle', async () => {
    const cloud = await cloudWith({ [SERVERS]: json({}, 429, { 'retry-after': '3600' }) });

    const answer = sessionOf(cloud).service('compute').get('/servers', { signal: signal() });

    await expect(answer).rejects.toMatchObject({ status: 429 });
    expect(cloud.asked).toHaveLength(1);
  });

  it('is given up after four attempts, and says what the service said', async () => {
    const body = { serviceUnavailable: { code: 503, message: 'no\n  workers' } };
    const cloud = await cloudWith({ [SERVERS]: json(body, 503) });

    const answer = sessionOf(cloud).service('compute').get('/servers', { signal: signal() });

    await expect(answer).rejects.toThrow(/^compute GET \/compute\/v2.1\/servers answered 503: no workers$/);
    expect(cloud.asked).toHaveLength(4);
  });

  it.each([400, 403, 404, 409, 500])('that is answered %i is not repeated', async (status) => {
    const cloud = await cloudWith({ [SERVERS]: json('<html>very secret</html>', status) });

    const answer = sessionOf(cloud)
      .service('compute')
      .get('/servers', { signal: signal(), query: { key: 'k' } });

    await expect(answer).rejects.toMatchObject({
      status,
      message: `compute GET /compute/v2.1/servers answered ${status}`,
    });
    expect(cloud.asked).toHaveLength(1);
  });

  it('that changes something is never repeated', async () => {
    const cloud = await cloudWith({ [SERVERS]: json({}, 503) });

    const answer = sessionOf(cloud)
      .service('compute')
      .request('POST', '/servers', { signal: signal(), body: { a: 1 } });

    await expect(answer).rejects.toMatchObject({ status: 503 });
    expect(cloud.asked.map(({ method, body }) => [method, body])).toEqual([['POST', '{"a": 1}']]);
  });

  it('is repeated when the connection breaks, also within the answer', async () => {
    const cut: Answer = (_asked, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('{"servers": [');
      setTimeout(() => response.destroy(), 20);
    };
    const hangUp: Answer = (_asked, response) => void response.destroy();
    const cloud = await cloudWith({ [SERVERS]: inTurn(hangUp, cut, json(servers)) });

    const answer = await sessionOf(cloud).service('compute').get('/servers', { signal: signal() });

    expect(answer).toEqual(servers);
  });

  it('fails with the name of the host when nobody listens', async () => {
    const server = createTcpServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    await new Promise((resolve) => server.close(resolve));

    const answer = sessionOf({ url: `http://127.0.0.1:${port}` })
      .service('compute')
      .get('/servers', { signal: signal() });

    await expect(answer).rejects.toMatchObject({
      code: 'ERR_SERVICE',
      message: `identity POST /v3/auth/tokens: no answer from 127.0.0.1:${port}`,
    });
  });

  it('has a deadline, the answer included', async () => {
    const cloud = await cloudWith({
      [SERVERS]: (_asked, response) => {
        response.writeHead(200);
        response.write('{"servers": [');
      },
    });

    const answer = sessionOf(cloud, { timeout: 1 }).service('compute').get('/servers', { signal: signal() });

    await expect(answer).rejects.toMatchObject({
      code: 'ERR_DEADLINE',
      message: 'compute GET /compute/v2.1/servers not done after 1 s',
    });
  });

  it('ends with the reason of its signal', async () => {
    const cloud = await cloudWith({ [SERVERS]: () => new Promise(() => {}) });
    const cycle = new AbortController();
    const answer = sessionOf(cloud).service('compute').get('/servers', { signal: cycle.signal });
    const outcome = answer.catch((error: Error) => error.message);

    while (cloud.asked.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    cycle.abort(new Error('the cycle is over'));

    expect(await outcome).toBe('the cycle is over');
  });

  it('does not take an answer that is too large', async () => {
    const cloud = await cloudWith({ [SERVERS]: json({ text: 'x'.repeat(200_000) }) });

    const answer = sessionOf(cloud).service('compute').get('/servers', { signal: signal(), maxBytes: 100_000 });

    await expect(answer).rejects.toThrow('compute GET /compute/v2.1/servers: the answer is larger than 100000 bytes');
  });

  it.each(['<html>', '[1]', ''])('refuses %j where it expects a JSON object', async (body) => {
    const cloud = await cloudWith({ [SERVERS]: json(body) });

    const answer = sessionOf(cloud).service('compute').get('/servers?a=1', { signal: signal() });

    await expect(answer).rejects.toThrow(/^compute GET \/servers: the answer is no JSON/);
  });

  it('follows a redirection within the host', async () => {
    const cloud = await cloudWith({
      [SERVERS]: json({}, 301, { location: '/compute/v2.1/servers/' }),
      [`${SERVERS}/`]: json(servers),
    });

    expect(await sessionOf(cloud).service('compute').get('/servers', { signal: signal() })).toEqual(servers);
  });

  it('takes its token to no other host', async () => {
    const cloud = await cloudWith({ [SERVERS]: json({}, 302, { location: 'http://evil.example/' }) });
    const compute = sessionOf(cloud).service('compute');

    const redirected = () => compute.get('/servers', { signal: signal() });
    const asked = () => compute.get('http://evil.example/servers', { signal: signal() });

    await expect(redirected()).rejects.toThrow('is redirected to http://evil.example, which is another host');
    await expect(asked()).rejects.toThrow('http://evil.example is not where the service is');
  });
});
