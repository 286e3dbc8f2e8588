import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../../src/errors.ts';
import { libvirtUri } from '../../src/libvirt/index.ts';
import { parseVirtUri } from '../../src/libvirt/uri.ts';

const root = { uid: 0, home: '/root', runtimeDir: undefined };
const user = { uid: 1000, home: '/home/u', runtimeDir: '/run/user/1000' };

describe('a URI without a way there', () => {
  it('means the local daemon of the driver, else libvirtd, read-only sockets first', () => {
    const uri = parseVirtUri('qemu:///system', root);

    expect(uri).toEqual({
      text: 'qemu:///system',
      name: 'qemu:///system',
      transport: {
        kind: 'unix',
        sockets: [
          '/run/libvirt/virtqemud-sock-ro',
          '/run/libvirt/libvirt-sock-ro',
          '/run/libvirt/virtqemud-sock',
          '/run/libvirt/libvirt-sock',
        ],
      },
    });
  });

  it.each([
    ['user', user, '/run/user/1000/libvirt'],
    ['user without a runtime folder', { ...user, runtimeDir: undefined }, '/home/u/.cache/libvirt'],
  ])('and of a session means the daemon of the %s', (_who, who, folder) => {
    const { transport } = parseVirtUri('qemu:///session', who);

    expect(transport).toEqual({ kind: 'unix', sockets: [`${folder}/virtqemud-sock`, `${folder}/libvirt-sock`] });
  });

  it('and of the session of root means the system daemon, as root has no other', () => {
    const { transport, name } = parseVirtUri('qemu:///session', root);

    expect(name).toBe('qemu:///session');
    expect(transport).toMatchObject({ sockets: expect.arrayContaining(['/run/libvirt/libvirt-sock-ro']) });
  });

  it.each([
    ['legacy', ['/run/libvirt/libvirt-sock-ro', '/run/libvirt/libvirt-sock']],
    ['direct', ['/run/libvirt/virtlxcd-sock-ro', '/run/libvirt/virtlxcd-sock']],
  ])('may choose the %s daemon', (mode, sockets) => {
    expect(parseVirtUri(`lxc:///system?mode=${mode}`, root).transport).toEqual({ kind: 'unix', sockets });
  });
});

describe('a URI with a way there', () => {
  it('may name a driver that is not known here', () => {
    expect(parseVirtUri('nebulous+tcp://h/system', root).name).toBe('nebulous:///system');
  });

  it('may name the socket', () => {
    const uri = parseVirtUri('qemu+unix:///system?socket=/srv/a%20b+c/libvirt-sock', root);

    expect(uri.name).toBe('qemu:///system');
    expect(uri.transport).toEqual({ kind: 'unix', sockets: ['/srv/a b+c/libvirt-sock'] });
  });

  it('leaves the name of the driver to the daemon with remote://', () => {
    expect(parseVirtUri('remote+tcp://h/', root)).toMatchObject({
      name: '',
      transport: { kind: 'tcp', host: 'h', port: 16509 },
    });
  });

  it('may tell the daemon another name', () => {
    expect(parseVirtUri('qemu+tcp://h/system?name=test:///default', root).name).toBe('test:///default');
  });

  it.each([
    ['qemu+tcp://host.example:1234/system', { kind: 'tcp', host: 'host.example', port: 1234 }],
    ['qemu+tcp:///system', { kind: 'tcp', host: 'localhost', port: 16509 }],
    ['qemu+tcp://[fd00::1]/system', { kind: 'tcp', host: 'fd00::1', port: 16509 }],
    ['QEMU+TCP://h/system', { kind: 'tcp', host: 'h', port: 16509 }],
  ])('%s goes over TCP', (text, transport) => {
    expect(parseVirtUri(text, root).transport).toEqual(transport);
  });

  it.each(['qemu://h/system', 'qemu+tls://h/system'])(
    '%s goes over TLS with the certificates of the machine',
    (text) => {
      expect(parseVirtUri(text, root).transport).toEqual({
        kind: 'tls',
        host: 'h',
        port: 16514,
        verify: true,
        pki: [
          {
            ca: '/etc/pki/CA/cacert.pem',
            cert: '/etc/pki/libvirt/clientcert.pem',
            key: '/etc/pki/libvirt/private/clientkey.pem',
          },
        ],
      });
    },
  );

  it('takes the certificates of the user first, or those of a named folder only', () => {
    const ofUser = parseVirtUri('qemu+tls://h/system', user).transport;
    const named = parseVirtUri('qemu+tls://h/system?pkipath=/srv/pki&no_verify=1', user).transport;

    expect(ofUser).toMatchObject({
      pki: [{ ca: '/home/u/.pki/libvirt/cacert.pem' }, { ca: '/etc/pki/CA/cacert.pem' }],
    });
    expect(named).toMatchObject({
      verify: false,
      pki: [{ cert: '/srv/pki/clientcert.pem', key: '/srv/pki/clientkey.pem' }],
    });
  });
});

describe('a URI over ssh', () => {
  const always = ['-T', '-e', 'none', '-o', 'BatchMode=yes'];

  it("runs libvirt's helper there, or netcat where it is not installed", () => {
    const { transport } = parseVirtUri('qemu+ssh://root@h:2222/system', root);

    expect(transport).toMatchObject({ kind: 'ssh', command: 'ssh' });
    const args = transport.kind === 'ssh' ? transport.args : [];
    expect(args.slice(0, -1)).toEqual([...always, '-p', '2222', '-l', 'root', '--', 'h']);
    expect(args.at(-1)).toMatch(
      /^sh -c '.*virt-ssh-helper -r qemu:\/\/\/system.*nc \$q -U \/var\/run\/libvirt\/libvirt-sock-ro; fi'$/,
    );
  });

  it('may name the command, the key, the netcat and the socket, each as one word', () => {
    const text = "qemu+ssh://h/system?command=/opt/ssh&keyfile=/k&netcat=/bin/my%20nc&socket=/s'k&no_verify=1&no_tty=1";

    const { transport } = parseVirtUri(text, root);

    expect(transport).toMatchObject({ command: '/opt/ssh' });
    const args = transport.kind === 'ssh' ? transport.args : [];
    expect(args.slice(0, -1)).toEqual([...always, '-i', '/k', '-o', 'StrictHostKeyChecking=no', '--', 'h']);
    expect(args.at(-1)).toContain("'\\''/bin/my nc'\\'' $q -U '\\''/s'\\''\\'\\'''\\''k'\\''");
  });

  it.each([
    ['native', /^sh -c 'exec virt-ssh-helper -r qemu:\/\/\/system'$/],
    ['netcat', /^sh -c 'if nc -q .* exec nc \$q -U \/var\/run\/libvirt\/libvirt-sock-ro'$/],
  ])('may choose the %s proxy', (proxy, line) => {
    const { transport } = parseVirtUri(`qemu+ssh://h/system?proxy=${proxy}`, root);

    expect(transport.kind === 'ssh' && transport.args.at(-1)).toMatch(line);
  });
});

describe('a URI that cannot be', () => {
  it.each([
    ['qemu', 'not a libvirt URI: "qemu"'],
    ['', 'not a libvirt URI: ""'],
    ['qemu:/system', 'not a libvirt URI'],
    [
      'qemu+libssh2://h/system',
      'libvirt transport libssh2 is not supported: qemu+libssh2://h/system (unix, tcp, tls or ssh)',
    ],
    ['qemu+ext:///system?command=/x', 'libvirt transport ext is not supported'],
    ['qemu+unix://h/system', 'a unix socket has no host'],
    ['quemu:///system', 'unknown libvirt driver quemu, did you mean qemu'],
    ['qmeu+tcp://h/system', 'unknown libvirt driver qmeu, did you mean qemu'],
    ['qemu:///system?sokcet=/x', 'unknown parameter sokcet in libvirt URI qemu:///system?sokcet=/x'],
    ['qemu+tcp://h/system?auth=sasl', 'parameter auth is not supported'],
    ['qemu+tls://h/system?no_verify=yes', 'parameter no_verify is 0 or 1'],
    ['qemu:///system?mode=fast', 'parameter mode is auto, legacy or direct'],
    ['qemu+ssh://h/system?proxy=socat', 'parameter proxy is auto, netcat or native'],
    ['qemu+ssh://h/system?proxy=native&socket=/x', 'proxy=native cannot use a socket'],
    ['qemu+ssh://-oProxyCommand=x/system', 'bad host or user'],
    ['qemu+tcp://h:99999/system', 'not a host and port: "h:99999"'],
    ['qemu+tcp://h:x/system', 'not a host and port: "h:x"'],
    ['qemu:///system?socket=%zz', 'bad percent-escape'],
  ])('%j is refused as a mistake in the configuration', (text, message) => {
    let error: unknown;
    try {
      parseVirtUri(text, root);
    } catch (caught) {
      error = caught;
    }

    expect(codeOf(error)).toBe('ERR_CONFIG');
    expect(error).toHaveProperty('message', expect.stringContaining(message));
  });

  it('never throws anything but a mistake in the configuration', () => {
    const texts = fc.oneof(
      fc.string(),
      fc.string().map((rest) => `qemu+ssh://${rest}`),
    );
    fc.assert(
      fc.property(texts, (text) => {
        try {
          parseVirtUri(text, root);
        } catch (error) {
          expect(codeOf(error)).toBe('ERR_CONFIG');
        }
      }),
    );
  });
});

describe('the URI of a configuration', () => {
  it.each([
    ['kvm', 'qemu:///system'],
    ['qemu', 'qemu:///system'],
    ['lxc', 'lxc:///'],
    ['parallels', 'parallels:///system'],
  ])('follows from libvirt_type = %s', (libvirtType, uri) => {
    expect(libvirtUri({ default: { libvirtType, libvirtUri: '' } })).toBe(uri);
  });

  it('is libvirt_uri where that is set', () => {
    expect(libvirtUri({ default: { libvirtType: 'lxc', libvirtUri: 'test:///default' } })).toBe('test:///default');
  });
});
